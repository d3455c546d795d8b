package dev.offload.tensors.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.tensors.Fixtures;
import dev.offload.tensors.model.ModelConfig.Attention;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelShapeTest {
  /** The bytes are those of all tensors in the checkpoints that these configurations come with. */
  @ParameterizedTest
  @CsvSource({
    "deepseek-v3-fp8, fp8, 451920",
    "qwen3-fp8, fp8, 444240",
    "gpt-oss-mxfp4, mxfp4, 279088",
    "llama-awq, awq, 185248",
    "llama-gptq, gptq, 191008"
  })
  void shouldKnowTheBytesOfPackedCheckpoints(String name, String method, long bytes)
      throws IOException {
    ModelShape shape = ModelFolder.describe(Fixtures.folder(name));
    assertEquals(method, shape.packing().orElseThrow().format().method());
    assertEquals(bytes, shape.size().storedBytes());
    assertTrue(shape.refusal().orElseThrow().contains("; it is not supported"));
  }

  @Test
  void shouldCountModulesThatAreKeptAsTheyAre(@TempDir Path folder) throws IOException {
    String config = Files.readString(Fixtures.folder("llama-awq").resolve("config.json"));
    Path file = folder.resolve("config.json");
    String kept = "\"modules_to_not_convert\": null";
    assertTrue(config.contains(kept));
    Files.writeString(file, config.replace(kept, "\"modules_to_not_convert\": [\"gate\", \"o\"]"));
    assertEquals(185_248, ModelFolder.describe(file).size().storedBytes());
    Files.writeString(
        file,
        config.replace(kept, "\"modules_to_not_convert\": [\"model.layers.*.mlp\", \"o_proj\"]"));
    ModelShape shape = ModelFolder.describe(file);
    assertEquals(plain(shape, UnitId.Kind.MLP), packed(shape, UnitId.Kind.MLP));
    Parameter output =
        units(shape, UnitId.Kind.ATTENTION).getFirst().find(Role.ATTENTION_OUTPUT).orElseThrow();
    long layers = shape.config().layers().size();
    long groups = 2L * output.rows();
    long awq = output.elements() / 2 + groups / 2 + groups * 2;
    assertEquals(
        packed(ModelFolder.describe(Fixtures.folder("llama-awq")), UnitId.Kind.ATTENTION)
            + layers * (output.bytes() - awq),
        packed(shape, UnitId.Kind.ATTENTION));
  }

  @Test
  void shouldDescribeLatentAttention() throws IOException {
    Attention attention =
        ModelFolder.describe(Fixtures.folder("deepseek-v3")).config().layers().get(1).attention();
    assertEquals(32, attention.headDim());
    assertEquals(24, attention.valueDim());
    assertEquals(1, attention.keyValueHeads());
    assertEquals(32, attention.cachedNumbers());
    assertEquals(64, attention.outputWidth());
    assertEquals(8, attention.rope().dimensions());
    assertTrue(attention.rope().interleaved());
    double mscale = 0.1 * Math.log(8) + 1;
    assertEquals(mscale * mscale / Math.sqrt(24), attention.scale(), 1e-6);
  }

  @Test
  void shouldSayThatAnOrdinaryModelRuns() throws IOException {
    ModelShape shape = ModelFolder.describe(Fixtures.folder("qwen3-dense"));
    assertEquals(Optional.empty(), shape.refusal());
    assertEquals(Optional.empty(), shape.packing());
    assertEquals(
        shape.units().stream().mapToLong(WeightUnit::bytes).sum(), shape.size().storedBytes());
  }

  private static long packed(ModelShape shape, UnitId.Kind kind) {
    return units(shape, kind).stream().mapToLong(shape::storedBytes).sum();
  }

  private static long plain(ModelShape shape, UnitId.Kind kind) {
    return units(shape, kind).stream().mapToLong(WeightUnit::bytes).sum();
  }

  private static List<WeightUnit> units(ModelShape shape, UnitId.Kind kind) {
    return shape.units().stream().filter(unit -> unit.id().kind() == kind).toList();
  }
}
