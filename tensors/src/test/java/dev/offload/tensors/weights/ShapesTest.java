package dev.offload.tensors.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Parameter counts of well-known models, from their configuration alone. */
class ShapesTest {
  @ParameterizedTest
  @CsvSource({
    "gemma-2-27b, 27227128320",
    "glm-4.5, 352797829024",
    "glm-4.5-air, 106852251264",
    "llama-2-70b, 68976648192",
    "llama-3-8b, 8030261248",
    "llama-3.1-405b, 405853388800",
    "mistral-7b, 7241732096",
    "mixtral-8x7b, 46702792704",
    "mixtral-8x22b, 140620634112",
    "olmoe-1b-7b, 6919161856",
    "opt-1.3b, 1315758080",
    "opt-30b, 29974540288",
    "opt-175b, 174604468224",
    "phi-3-medium, 13960238080",
    "qwen2.5-72b, 72706203648",
    "qwen3-235b-a22b, 235093634560",
    "qwen3-30b-a3b, 30532122624",
    "qwen3-8b, 8190735360",
  })
  void shouldCountTheParametersThatWerePublished(String name, long parameters) throws IOException {
    Path config = Path.of("src", "test", "resources", "shapes", name + ".json");
    try (ModelFolder model = ModelFolder.fromConfig(config)) {
      Map<String, Long> elements = new HashMap<>();
      for (WeightUnit unit : model.units()) {
        for (Parameter parameter : unit.parameters()) {
          for (Part part : parameter.parts()) {
            elements.put(
                part.tensor(),
                part.shape().stream().mapToLong(Integer::longValue).reduce(1, (a, b) -> a * b));
          }
        }
      }
      assertEquals(parameters, elements.values().stream().mapToLong(Long::longValue).sum());
    }
  }
}
