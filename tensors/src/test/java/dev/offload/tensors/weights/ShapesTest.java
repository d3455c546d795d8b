package dev.offload.tensors.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Sizes of well-known models, from their configuration alone. The numbers were counted apart from
 * this project and compared with published ones.
 */
class ShapesTest {
  private static final Path SHAPES = Path.of("..", "examples", "shapes");

  @ParameterizedTest
  @CsvSource({
    "deepseek-v2, 235741434880, 21375800320, 524288000, 69120, 69120",
    "deepseek-v2-lite, 15706484224, 2661150208, 209715200, 31104, 31104",
    "deepseek-v3, 671026419200, 37552297472, 926679040, 70272, 70272",
    "gemma-2-27b, 27227128320, 27227128320, 0, 376832, 188416",
    "glm-4.5, 352797829024, 33632266144, 775946240, 376832, 376832",
    "glm-4.5-air, 106852251264, 13424129664, 620756992, 188416, 188416",
    "gpt-oss-120b, 116829156672, 5711982912, 579133440, 73728, 36864",
    "gpt-oss-20b, 20914757184, 4187440704, 579133440, 49152, 24576",
    "llama-2-13b, 13015864320, 13015864320, 163840000, 819200, 819200",
    "llama-2-70b, 68976648192, 68976648192, 262144000, 327680, 327680",
    "llama-2-7b, 6738415616, 6738415616, 131072000, 524288, 524288",
    "llama-3-70b, 70553706496, 70553706496, 1050673152, 327680, 327680",
    "llama-3-8b, 8030261248, 8030261248, 525336576, 131072, 131072",
    "llama-3.1-405b, 405853388800, 405853388800, 2101346304, 516096, 516096",
    "mistral-7b, 7241732096, 7241732096, 131072000, 131072, 0",
    "mixtral-8x22b, 140620634112, 39152031744, 196608000, 229376, 229376",
    "mixtral-8x7b, 46702792704, 12879925248, 131072000, 131072, 131072",
    "olmoe-1b-7b, 6919161856, 1282017280, 103022592, 131072, 131072",
    "opt-1.3b, 1315758080, 1315758080, 4198400, 196608, 196608",
    "opt-13b, 12853473280, 12853473280, 10496000, 819200, 819200",
    "opt-175b, 174604468224, 174604468224, 25190400, 4718592, 4718592",
    "opt-30b, 29974540288, 29974540288, 14694400, 1376256, 1376256",
    "opt-6.7b, 6658473984, 6658473984, 8396800, 524288, 524288",
    "opt-66b, 65719701504, 65719701504, 18892800, 2359296, 2359296",
    "phi-3-medium, 13960238080, 13960238080, 164167680, 204800, 0",
    "qwen2.5-32b, 32763876352, 32763876352, 778567680, 262144, 262144",
    "qwen2.5-72b, 72706203648, 72706203648, 1245708288, 327680, 327680",
    "qwen3-235b-a22b, 235093634560, 22190763520, 622329856, 192512, 192512",
    "qwen3-30b-a3b, 30532122624, 3353032704, 311164928, 98304, 98304",
    "qwen3-32b, 32762123264, 32762123264, 777912320, 262144, 262144",
    "qwen3-8b, 8190735360, 8190735360, 622329856, 147456, 147456",
  })
  void shouldCountWhatWasPublished(
      String name, long parameters, long active, long lookedUp, long cached, long growing)
      throws IOException {
    ModelSize size = ModelFolder.describe(SHAPES.resolve(name)).size();
    assertEquals(parameters, size.parameters());
    assertEquals(active, size.activeParameters());
    assertEquals(lookedUp, size.lookedUpParameters());
    assertEquals(cached, size.cachedBytesPerToken());
    assertEquals(growing, size.growingBytesPerToken());
  }

  @Test
  void shouldDescribeEveryShapeThatShips() throws IOException {
    List<Path> shapes;
    try (Stream<Path> found = Files.list(SHAPES)) {
      shapes = found.filter(Files::isDirectory).toList();
    }
    assertEquals(33, shapes.size());
    for (Path shape : shapes) {
      ModelFolder.describe(shape.resolve("config.json"));
    }
  }

  /** Of gpt-oss the model card states 60.8 and 12.8 GiB. */
  @ParameterizedTest
  @CsvSource({
    "gpt-oss-120b, 60.8",
    "gpt-oss-20b, 12.8",
    "deepseek-v3, 626.9",
    "llama-3.1-405b, 755.96",
    "gemma-2-27b, 50.7"
  })
  void shouldKnowTheBytesOfThePublishedCheckpoint(String name, double gibibytes)
      throws IOException {
    long bytes = ModelFolder.describe(SHAPES.resolve(name)).size().storedBytes();
    assertEquals(gibibytes, bytes / Math.pow(2, 30), 0.05);
  }
}
