package dev.offload.tensors.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.offload.tensors.DType;
import dev.offload.tensors.Fixtures;
import dev.offload.tensors.checkpoint.Checkpoint;
import dev.offload.tensors.checkpoint.StoredTensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class WeightSourceTest {
  static List<String> supported() {
    return Fixtures.SUPPORTED;
  }

  @ParameterizedTest
  @MethodSource("supported")
  void shouldReadTheRowsThatThePartsName(String name) throws IOException {
    try (ModelFolder model = ModelFolder.open(Fixtures.folder(name))) {
      Checkpoint checkpoint = model.checkpoint().orElseThrow();
      for (WeightUnit unit : model.units()) {
        for (Parameter parameter : unit.parameters()) {
          float[] found = floats(model.weights(), parameter);
          assertArrayEquals(oneByOne(checkpoint, parameter), found, unit.id() + " " + parameter);
        }
      }
    }
  }

  @Test
  void shouldTakeHeadsApartThatLieTogether() throws IOException {
    try (ModelFolder model = ModelFolder.open(Fixtures.folder("neox-pythia"))) {
      Parameter qkv = parameter(model, UnitId.Kind.ATTENTION, Role.QKV);
      float[] found = floats(model.weights(), qkv);
      Checkpoint checkpoint = model.checkpoint().orElseThrow();
      StoredTensor fused = checkpoint.require("gpt_neox.layers.0.attention.query_key_value.weight");
      // Row 5 of the keys of head 2: 4 heads of width 16, q, k, v per head, 64 columns.
      int ours = 64 + 2 * 16 + 5;
      int stored = 2 * 48 + 16 + 5;
      for (int column = 0; column < 64; column++) {
        assertEquals(
            number(checkpoint.bytes(fused), DType.F16, stored * 64L + column),
            found[ours * 64 + column]);
      }
    }
  }

  @Test
  void shouldTurnAndUntangleTheExpertsOfGptOss() throws IOException {
    try (ModelFolder model = ModelFolder.open(Fixtures.folder("gpt-oss-bf16"))) {
      Parameter up = model.unit(UnitId.expert(1, 3)).find(Role.UP).orElseThrow();
      float[] found = floats(model.weights(), up);
      Checkpoint checkpoint = model.checkpoint().orElseThrow();
      StoredTensor fused = checkpoint.require("model.layers.1.mlp.experts.gate_up_proj");
      // [4 experts, 48 inputs, 80 outputs]: gate row 7 is output 14, up row 7 output 15.
      for (int input = 0; input < 48; input++) {
        long row = (3L * 48 + input) * 80;
        MemorySegment bytes = checkpoint.bytes(fused);
        assertEquals(number(bytes, DType.BF16, row + 14), found[7 * 48 + input]);
        assertEquals(number(bytes, DType.BF16, row + 15), found[(40 + 7) * 48 + input]);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("supported")
  void shouldReadTheSameByPositionalReads(String name) throws IOException {
    try (ModelFolder model = ModelFolder.open(Fixtures.folder(name));
        UnitReader reader = UnitReader.open(model.checkpoint().orElseThrow())) {
      checkReader(model, reader);
    }
  }

  @ParameterizedTest
  @MethodSource("supported")
  void shouldReadTheSamePastThePageCache(String name) throws IOException {
    try (ModelFolder model = ModelFolder.open(Fixtures.folder(name));
        UnitReader reader = openDirect(model)) {
      checkReader(model, reader);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldReadTheSameThroughSmallBuffers(boolean direct) throws IOException {
    for (String name : List.of("gpt2-base", "gpt-oss-bf16", "neox-pythia", "qwen3-moe")) {
      try (ModelFolder model = ModelFolder.open(Fixtures.folder(name));
          UnitReader reader = open(model, direct, 4096)) {
        checkReader(model, reader);
      }
    }
  }

  @Test
  void shouldReadTheSameFromManyThreads() throws IOException {
    try (ModelFolder model = ModelFolder.open(Fixtures.folder("llama-linear"));
        UnitReader reader = open(model, false, 4096)) {
      IntStream.range(0, 8).parallel().forEach(i -> checkReaderUnchecked(model, reader));
    }
  }

  @Test
  void shouldCountTheBytesItReads() throws IOException {
    try (ModelFolder model = ModelFolder.open(Fixtures.folder("llama31-gqa"));
        UnitReader reader = UnitReader.open(model.checkpoint().orElseThrow());
        Arena arena = Arena.ofConfined()) {
      WeightUnit unit = model.unit(UnitId.of(UnitId.Kind.MLP, 1));
      reader.read(targets(unit, DType.BF16), arena.allocate(1 << 20));
      assertEquals(unit.bytes(), reader.bytesRead());
      reader.read(targets(unit, DType.F32), arena.allocate(1 << 20));
      assertEquals(2 * unit.bytes(), reader.bytesRead());
      Parameter up = unit.find(Role.UP).orElseThrow();
      reader.read(up, DType.BF16, arena.allocate(up.bytes()));
      assertEquals(2 * unit.bytes() + up.bytes(), reader.bytesRead());
    }
  }

  @Test
  void shouldNameTheFileThatBecameShorter(@TempDir Path folder) throws IOException {
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(Fixtures.folder("qwen3-dense").resolve(file), folder.resolve(file));
    }
    Path weights = folder.resolve("model.safetensors");
    try (ModelFolder model = ModelFolder.open(folder);
        UnitReader reader = UnitReader.open(model.checkpoint().orElseThrow());
        Arena arena = Arena.ofConfined()) {
      Files.write(weights, Arrays.copyOf(Files.readAllBytes(weights), 10_000));
      WeightUnit output = model.unit(UnitId.output(0));
      MemorySegment to = arena.allocate(1 << 20);
      IOException e =
          assertThrows(IOException.class, () -> reader.read(targets(output, DType.BF16), to));
      assertTrue(e.getMessage().startsWith(weights + ": ended at byte"), e.getMessage());
    }
  }

  @Test
  void shouldRefuseATargetOfTheWrongSize() throws IOException {
    try (ModelFolder model = ModelFolder.open(Fixtures.folder("llama31-gqa"))) {
      Parameter norm = parameter(model, UnitId.Kind.ATTENTION, Role.ATTENTION_NORM);
      MemorySegment small = MemorySegment.ofArray(new byte[100]);
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class, () -> model.weights().read(norm, DType.F32, small));
      assertEquals("ATTENTION_NORM as F32 takes 256 bytes, not 100", e.getMessage());
    }
  }

  @ParameterizedTest
  @MethodSource("supported")
  void shouldReadSomeRowsOfAMatrix(String name) throws IOException {
    Random random = new Random(3);
    try (ModelFolder model = ModelFolder.open(Fixtures.folder(name))) {
      for (WeightSource source : List.of(model.weights(), new RandomSource(1, 0.02f, 2))) {
        for (WeightUnit unit : model.units()) {
          for (Parameter parameter : unit.parameters()) {
            if (parameter.isMatrix()) {
              checkRange(source, parameter, random);
            }
          }
        }
      }
    }
  }

  private static void checkRange(WeightSource source, Parameter parameter, Random random) {
    int first = random.nextInt(parameter.rows());
    int count = 1 + random.nextInt(parameter.rows() - first);
    float[] whole = floats(source, parameter);
    int columns = parameter.columns();
    assertArrayEquals(
        Arrays.copyOfRange(whole, first * columns, (first + count) * columns),
        floats(source, parameter.range(first, count)),
        () -> "%d rows from %d of %s".formatted(count, first, parameter));
    assertThrows(
        IllegalArgumentException.class, () -> parameter.range(first, parameter.rows() + 1 - first));
  }

  @Test
  void shouldMakeUpTheSameNumbersAgain() throws IOException {
    try (ModelFolder model = ModelFolder.fromConfig(Fixtures.folder("qwen3-moe"))) {
      Parameter up = model.unit(UnitId.expert(0, 3)).find(Role.UP).orElseThrow();
      Parameter other = model.unit(UnitId.expert(0, 4)).find(Role.UP).orElseThrow();
      float[] first = floats(new RandomSource(7, 0.02f, 2), up);
      assertArrayEquals(first, floats(new RandomSource(7, 0.02f, 2), up));
      assertFalse(Arrays.equals(first, floats(new RandomSource(8, 0.02f, 2), up)));
      assertFalse(Arrays.equals(first, floats(new RandomSource(7, 0.02f, 2), other)));
    }
  }

  @Test
  void shouldMakeUpNumbersOfTheDeviationAsked() throws IOException {
    try (ModelFolder model = ModelFolder.fromConfig(Fixtures.folder("llama32-tied"))) {
      Parameter table = model.unit(UnitId.embedding()).find(Role.TOKEN_TABLE).orElseThrow();
      Parameter output = model.unit(UnitId.output(0)).find(Role.OUTPUT).orElseThrow();
      float[] numbers = floats(new RandomSource(1, 0.02f, 2), table);
      double sum = 0;
      double squares = 0;
      for (float number : numbers) {
        sum += number;
        squares += (double) number * number;
      }
      assertEquals(0, sum / numbers.length, 0.001);
      assertEquals(0.02, Math.sqrt(squares / numbers.length), 0.0005);
      assertArrayEquals(numbers, floats(new RandomSource(1, 0.02f, 2), output), "a tied head");
      Parameter norm = parameter(model, UnitId.Kind.ATTENTION, Role.ATTENTION_NORM);
      for (float number : floats(new RandomSource(1, 0.02f, 2), norm)) {
        assertEquals(1, number);
      }
    }
  }

  @Test
  void shouldMakeUpTheSameNumbersOnAnyNumberOfThreads() {
    List<Integer> stack = List.of(3, 700, 900);
    Part whole = Part.matrix("large", 2100, 900);
    Part slab = new Part("large", stack, 1, 0, 700, 1, false);
    Part turned = new Part("large", stack, 2, 1, 300, 3, true);
    Part stepped = new Part("large", stack, 0, 2, 100, 7, false);
    Part some = Part.transposed("large", 900, 2100).columns(1000, 50);
    float[] all =
        floats(
            new RandomSource(3, 1, 1),
            new Parameter(Role.UP, DType.F32, 2100, 900, List.of(whole)));
    for (int threads : new int[] {1, 2, 5}) {
      RandomSource source = new RandomSource(3, 1, threads);
      assertArrayEquals(
          all, floats(source, new Parameter(Role.UP, DType.F32, 2100, 900, List.of(whole))));
      float[] second = floats(source, new Parameter(Role.UP, DType.F32, 700, 900, List.of(slab)));
      assertArrayEquals(Arrays.copyOfRange(all, 700 * 900, 1400 * 900), second);
      float[] columns =
          floats(source, new Parameter(Role.UP, DType.F32, 300, 700, List.of(turned)));
      assertEquals(all[(1400 + 23) * 900 + 1 + 3 * 50], columns[50 * 700 + 23]);
      float[] few = floats(source, new Parameter(Role.UP, DType.F32, 900, 50, List.of(some)));
      assertEquals(all[(1000 + 7) * 900 + 333], few[333 * 50 + 7]);
      float[] rows = floats(source, new Parameter(Role.UP, DType.F32, 100, 900, List.of(stepped)));
      assertEquals(all[(2 + 7 * 60) * 900 + 11], rows[60 * 900 + 11]);
    }
  }

  private static UnitReader openDirect(ModelFolder model) throws IOException {
    return open(model, true, UnitReader.BUFFER_BYTES);
  }

  private static UnitReader open(ModelFolder model, boolean direct, int bufferBytes)
      throws IOException {
    try {
      return UnitReader.open(model.checkpoint().orElseThrow(), direct, bufferBytes);
    } catch (IOException e) {
      return abort("this file system has no O_DIRECT: " + e.getMessage());
    }
  }

  private static void checkReaderUnchecked(ModelFolder model, UnitReader reader) {
    try {
      checkReader(model, reader);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void checkReader(ModelFolder model, UnitReader reader) throws IOException {
    for (DType as : DType.values()) {
      for (WeightUnit unit : model.units()) {
        List<UnitReader.Target> targets = targets(unit, as);
        if (targets.isEmpty()) {
          continue;
        }
        UnitReader.Target last = targets.getLast();
        try (Arena arena = Arena.ofConfined()) {
          MemorySegment found = arena.allocate(last.offset() + last.bytes());
          reader.read(targets, found);
          for (UnitReader.Target target : targets) {
            MemorySegment expected = MemorySegment.ofArray(new byte[(int) target.bytes()]);
            model.weights().read(target.parameter(), as, expected);
            MemorySegment read = found.asSlice(target.offset(), target.bytes());
            assertEquals(-1, expected.mismatch(read), () -> unit.id() + " " + target);
          }
        }
      }
    }
    assertTrue(reader.bytesRead() > 0);
  }

  private static List<UnitReader.Target> targets(WeightUnit unit, DType as) {
    List<UnitReader.Target> targets = new ArrayList<>();
    long offset = 0;
    for (Parameter parameter : unit.parameters()) {
      targets.add(new UnitReader.Target(parameter, as, offset));
      offset += (targets.getLast().bytes() + 63) / 64 * 64;
    }
    return targets;
  }

  private static Parameter parameter(ModelFolder model, UnitId.Kind kind, Role role) {
    return model.unit(UnitId.of(kind, 0)).find(role).orElseThrow();
  }

  private static float[] floats(WeightSource source, Parameter parameter) {
    float[] numbers = new float[(int) parameter.elements()];
    source.read(parameter, DType.F32, MemorySegment.ofArray(numbers));
    return numbers;
  }

  /** The parameter by the definition of its parts, number by number. */
  private static float[] oneByOne(Checkpoint checkpoint, Parameter parameter) {
    float[] numbers = new float[(int) parameter.elements()];
    int next = 0;
    for (Part part : parameter.parts()) {
      StoredTensor tensor = checkpoint.require(part.tensor());
      MemorySegment bytes = checkpoint.bytes(tensor);
      List<Integer> shape =
          part.slab() < 0 ? part.shape() : part.shape().subList(1, part.shape().size());
      long slabSize = shape.stream().mapToLong(Integer::longValue).reduce(1, (a, b) -> a * b);
      long slabStart = Math.max(0, part.slab()) * slabSize;
      for (int row = 0; row < part.rows(); row++) {
        int storedRow = part.firstRow() + row * part.rowStep();
        for (int column = 0; column < part.columns(); column++) {
          long inSlab =
              part.transposed()
                  ? (long) (part.firstColumn() + column) * shape.getLast() + storedRow
                  : (long) storedRow * part.columns() + column;
          numbers[next++] = number(bytes, tensor.format(), slabStart + inSlab);
        }
      }
    }
    return numbers;
  }

  private static float number(MemorySegment bytes, DType type, long index) {
    return switch (type) {
      case F32 -> bytes.get(ValueLayout.JAVA_FLOAT_UNALIGNED, index * 4);
      case F16 -> Float.float16ToFloat(bytes.get(ValueLayout.JAVA_SHORT_UNALIGNED, index * 2));
      case BF16 ->
          Float.intBitsToFloat(bytes.get(ValueLayout.JAVA_SHORT_UNALIGNED, index * 2) << 16);
    };
  }
}
