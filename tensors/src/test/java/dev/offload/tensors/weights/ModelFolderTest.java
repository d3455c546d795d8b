package dev.offload.tensors.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.tensors.Fixtures;
import dev.offload.tensors.checkpoint.Checkpoint;
import dev.offload.tensors.model.ModelConfig;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ModelFolderTest {
  /** Tensors that are no weights, or copies of a tied head, or a layer for drafting. */
  private static final List<String> NO_WEIGHTS =
      List.of("inv_freq", "masked_bias", "attn.bias", "attention.bias");

  static List<String> supported() {
    return Fixtures.SUPPORTED;
  }

  @ParameterizedTest
  @MethodSource("supported")
  void shouldListEveryWeightOfTheCheckpoint(String name) throws IOException {
    try (ModelFolder model = ModelFolder.open(Fixtures.folder(name))) {
      Set<String> used =
          model.units().stream()
              .flatMap(unit -> unit.parameters().stream())
              .flatMap(parameter -> parameter.parts().stream())
              .map(Part::tensor)
              .collect(Collectors.toSet());
      Checkpoint checkpoint = model.checkpoint().orElseThrow();
      Set<String> unused = new TreeSet<>(checkpoint.names());
      unused.removeAll(used);
      unused.removeIf(tensor -> NO_WEIGHTS.stream().anyMatch(tensor::endsWith));
      if (model.config().head().tied()) {
        unused.remove("lm_head.weight");
      }
      String drafting = "model.layers." + model.config().layers().size() + ".";
      unused.removeIf(tensor -> tensor.startsWith(drafting));
      assertEquals(Set.of(), unused);
    }
  }

  @ParameterizedTest
  @MethodSource("supported")
  void shouldDescribeTheSameUnitsFromTheConfigAlone(String name) throws IOException {
    try (ModelFolder model = ModelFolder.open(Fixtures.folder(name));
        ModelFolder shape = ModelFolder.fromConfig(Fixtures.folder(name).resolve("config.json"))) {
      ModelConfig config = model.config();
      assertEquals(config, shape.config().withStoredDType(config.storedDType()));
      assertEquals(sizes(model), sizes(shape));
      assertTrue(shape.checkpoint().isEmpty());
    }
  }

  private static List<String> sizes(ModelFolder model) {
    return model.units().stream()
        .flatMap(
            unit ->
                Stream.concat(
                    Stream.of(unit.id().toString()),
                    unit.parameters().stream()
                        .map(p -> p.role() + " " + p.rows() + " x " + p.columns())))
        .toList();
  }
}
