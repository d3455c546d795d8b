package dev.offload.tensors.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.offload.tensors.Fixtures;
import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What we read from a folder means what transformers makes of it: logits of all prompts through
 * {@link ReferenceModel} against those of reference.json.
 */
class ReferenceModelTest {
  /** Of the largest logit; transformers differs from itself by up to 1e-5. */
  private static final double TOLERANCE = 1e-4;

  static List<String> supported() {
    return Fixtures.SUPPORTED;
  }

  @ParameterizedTest
  @MethodSource("supported")
  void shouldComputeTheLogitsOfTransformers(String name) throws IOException {
    JsonNode reference =
        new ObjectMapper().readTree(Fixtures.folder(name).resolve("reference.json").toFile());
    double scale = Math.max(1, reference.get("logit_scale").doubleValue());
    try (ModelFolder model = ModelFolder.open(Fixtures.folder(name))) {
      assertEquals(
          numbers(reference.get("eos_token_ids")),
          model.config().endTokens().stream().map(Integer::doubleValue).toList());
      ReferenceModel computed = new ReferenceModel(model);
      for (JsonNode prompt : reference.get("prompts")) {
        double[][] logits =
            computed.logits(
                numbers(prompt.get("input_ids")).stream().mapToInt(Double::intValue).toArray());
        check(prompt, "final_logits", prompt.get("final_logits"), logits[logits.length - 1], scale);
        if (prompt.hasNonNull("all_logits")) {
          for (int t = 0; t < logits.length; t++) {
            check(prompt, "logits at " + t, prompt.get("all_logits").get(t), logits[t], scale);
          }
        }
      }
    }
  }

  private static void check(
      JsonNode prompt, String what, JsonNode expected, double[] found, double scale) {
    List<Double> numbers = numbers(expected);
    assertEquals(numbers.size(), found.length);
    double worst =
        IntStream.range(0, found.length)
            .mapToDouble(i -> Math.abs(found[i] - numbers.get(i)))
            .max()
            .orElseThrow();
    assertTrue(
        worst <= TOLERANCE * scale,
        () ->
            "prompt %s, %s: off by %.3g of scale %.3g"
                .formatted(prompt.get("id").textValue(), what, worst, scale));
  }

  private static List<Double> numbers(JsonNode list) {
    return IntStream.range(0, list.size()).mapToObj(i -> list.get(i).doubleValue()).toList();
  }
}
