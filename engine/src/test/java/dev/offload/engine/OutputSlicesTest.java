package dev.offload.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.api.Operations;
import dev.offload.tensors.DType;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.tensors.weights.Role;
import dev.offload.tensors.weights.UnitId;
import dev.offload.tensors.weights.WeightUnit;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OutputSlicesTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures");
  private static final Path SHAPES = Path.of("../examples/shapes");
  private static final long MEMORY = 1L << 28;

  @ParameterizedTest
  @ValueSource(strings = {"dense-360m", "moe-880m"})
  void shouldCutALargeVocabularyToTheSizeOfOtherUnits(String name) throws IOException {
    try (ModelFolder folder = ModelFolder.fromConfig(SHAPES.resolve(name))) {
      List<WeightUnit> units = OutputSlices.cut(folder.units());
      long largest = 0;
      int rows = 0;
      int slices = 0;
      for (WeightUnit unit : units) {
        if (unit.id().kind() == UnitId.Kind.OUTPUT) {
          assertEquals(rows, unit.id().number());
          assertEquals(0, rows % Operations.PANEL_OUTPUTS);
          assertTrue(unit.bytes() <= largest, unit.id() + " of " + unit.bytes());
          rows += unit.find(Role.OUTPUT).orElseThrow().rows();
          slices++;
        } else if (unit.id().kind() != UnitId.Kind.EMBEDDING) {
          largest = Math.max(largest, unit.bytes());
        }
      }
      assertEquals(folder.config().vocabularySize(), rows);
      assertEquals(Math.ceilDiv(folder.unit(UnitId.output(0)).bytes(), largest), slices);
    }
  }

  @Test
  void shouldLeaveASmallVocabularyWhole() throws IOException {
    try (ModelFolder folder = ModelFolder.open(FIXTURES.resolve("mixtral"))) {
      List<WeightUnit> units =
          folder.units().stream()
              .map(unit -> unit.id().kind() == UnitId.Kind.OUTPUT ? firstRows(unit, 100) : unit)
              .toList();
      assertSame(units, OutputSlices.cut(units));
    }
  }

  private static WeightUnit firstRows(WeightUnit output, int rows) {
    return new WeightUnit(
        output.id(), List.of(output.find(Role.OUTPUT).orElseThrow().range(0, rows)));
  }

  /** Tied, with a soft cap, with a projection before the output matrix. */
  @ParameterizedTest
  @ValueSource(strings = {"llama32-tied", "gemma2", "opt-post-proj", "llama-bias-unigram"})
  void shouldGiveTheSameLogits(String name) throws IOException {
    Random random = new Random(name.hashCode());
    try (ModelFolder folder = ModelFolder.open(FIXTURES.resolve(name))) {
      int vocabulary = folder.config().vocabularySize();
      for (DType dtype : List.of(DType.F32, DType.BF16)) {
        List<float[]> whole = logits(folder, dtype, vocabulary);
        assertFalse(whole.isEmpty());
        for (int rows : new int[] {1, 65 + random.nextInt(vocabulary - 64)}) {
          List<float[]> sliced = logits(folder, dtype, rows);
          assertEquals(whole.size(), sliced.size());
          for (int i = 0; i < whole.size(); i++) {
            assertArrayEquals(whole.get(i), sliced.get(i), name + " in slices of " + rows);
          }
        }
      }
    }
  }

  private static List<float[]> logits(ModelFolder folder, DType dtype, int rows) {
    EngineModel model =
        new EngineModel(
            folder.config(),
            OutputSlices.cut(folder.units(), rows),
            folder.weights(),
            folder.checkpoint(),
            false);
    Backend backend = ServiceLoader.load(Backend.class).findFirst().orElseThrow();
    EngineOptions options = EngineOptions.of(Optional.of(dtype), MEMORY, MEMORY, 2, 0);
    List<float[]> logits = new ArrayList<>();
    var requests = List.of(TestRun.greedy(0, List.of(5, 6, 7, 8), 3)).iterator();
    try (Device device = backend.open(new DeviceOptions(0, MEMORY, MEMORY, 2));
        Engine engine = Engine.open(model, Optional.empty(), device, options)) {
      engine.run(
          () -> next(requests),
          _ -> {},
          _ -> {},
          (_, _, row) -> logits.add(row.toArray(ValueLayout.JAVA_FLOAT)));
    }
    return logits;
  }

  private static <T> Optional<T> next(Iterator<T> source) {
    return source.hasNext() ? Optional.of(source.next()) : Optional.empty();
  }
}
