package dev.offload.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.offload.generation.GenerationRequest;
import dev.offload.planner.Lane;
import dev.offload.tensors.DType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Small models of every family against Hugging Face transformers. Bounds are relative to the
 * largest logit of the model.
 */
class ReferenceModelsTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures");
  private static final double FLOAT32_ERROR = 1e-4;

  /** How many times the error of transformers in bfloat16 ours may be. */
  private static final double BFLOAT16_FACTOR = 3;

  private static final List<String> MODELS =
      List.of(
          "llama2-mha",
          "llama31-gqa",
          "llama32-tied",
          "llama-linear",
          "llama-dynamic",
          "llama-yarn",
          "llama-bias-unigram",
          "llama-v5-config",
          "mistral-swa",
          "qwen2-bias",
          "qwen2-tied-swa",
          "qwen3-dense",
          "mixtral",
          "qwen2-moe",
          "qwen3-moe",
          "olmoe",
          "opt-pre",
          "opt-post-proj",
          "gpt2-base",
          "neox-pythia",
          "phi3-swa",
          "phi3-longrope",
          "gemma2",
          "gemma3-text",
          "glm4-moe",
          "gpt-oss-bf16",
          "deepseek-v2-lite",
          "deepseek-v3");

  /** Each backend with each model. */
  static Stream<Arguments> models() {
    return Stream.of(TestDevices.CPU, TestDevices.OPENCL, TestDevices.CUDA)
        .flatMap(backend -> MODELS.stream().map(model -> Arguments.of(backend, model)));
  }

  @ParameterizedTest
  @MethodSource("models")
  void shouldGiveReferenceTokensAndLogits(String backend, String name) throws IOException {
    JsonNode reference = reference(name);
    double bound = FLOAT32_ERROR * scale(reference);
    JsonNode prompts = reference.get("prompts");
    TestRun run = TestRun.on(backend, FIXTURES.resolve(name), DType.F32, prompts(prompts));
    for (int i = 0; i < prompts.size(); i++) {
      JsonNode prompt = prompts.get(i);
      String what = name + ", prompt " + prompt.get("id").asText();
      assertClose(floats(prompt.get("final_logits")), run.firstLogits(i), bound, what);
      JsonNode greedy = prompt.get("greedy");
      int binding = isBindingWhileDecoding(prompt) ? greedy.get("tokens").size() : 1;
      assertEquals(
          ids(greedy.get("tokens")).subList(0, binding), run.tokens(i).subList(0, binding), what);
      assertTopLogits(greedy, run.logits().get((long) i).subList(0, binding), bound, what);
    }
  }

  /**
   * Attention and experts on the processor round otherwise than on the device, within the bound.
   */
  @ParameterizedTest
  @CsvSource({
    "opencl, llama31-gqa",
    "opencl, qwen3-moe",
    "opencl, gpt-oss-bf16",
    "cuda, llama31-gqa",
    "cuda, qwen3-moe",
    "cuda, gpt-oss-bf16"
  })
  void shouldGiveReferenceLogitsWhereTheProcessorComputesToo(String backend, String name)
      throws IOException {
    JsonNode reference = reference(name);
    double bound = FLOAT32_ERROR * scale(reference);
    JsonNode prompts = reference.get("prompts");
    TestRun run =
        TestRun.withProcessor(backend, FIXTURES.resolve(name), DType.F32, prompts(prompts));
    for (int i = 0; i < prompts.size(); i++) {
      JsonNode prompt = prompts.get(i);
      String what = name + ", prompt " + prompt.get("id").asText();
      assertClose(floats(prompt.get("final_logits")), run.firstLogits(i), bound, what);
      assertTopLogits(prompt.get("greedy"), run.logits().get((long) i), bound, what);
    }
    assertTrue(run.report().busyShares().get(Lane.CPU) > 0, "the processor computes");
  }

  @ParameterizedTest
  @MethodSource("models")
  void shouldGiveReferenceLogitsOfAllPositions(String backend, String name) throws IOException {
    JsonNode reference = reference(name);
    double bound = FLOAT32_ERROR * scale(reference);
    List<GenerationRequest> requests = new ArrayList<>();
    List<Check> checks = new ArrayList<>();
    for (JsonNode prompt : reference.get("prompts")) {
      String what = name + ", prompt " + prompt.get("id").asText();
      List<Integer> ids = ids(prompt.get("input_ids"));
      JsonNode all = prompt.path("all_logits");
      for (int i = 0; i < all.size(); i++) {
        float[] expected = floats(all.get(i));
        String where = what + ", position " + i;
        requests.add(TestRun.greedy(requests.size(), ids.subList(0, i + 1), 1));
        checks.add(logits -> assertClose(expected, logits, bound, where));
      }
      JsonNode continuation = prompt.path("continuation");
      List<Integer> text = new ArrayList<>(ids);
      for (int i = 0; i < continuation.path("ids").size() && isBindingWhileDecoding(prompt); i++) {
        int next = continuation.get("ids").get(i).asInt();
        double expected = continuation.get("logprobs").get(i).asDouble();
        String where = what + ", token " + i + " of the continuation";
        requests.add(TestRun.greedy(requests.size(), text, 1));
        checks.add(
            logits -> assertEquals(expected, logProbability(logits, next), 2 * bound, where));
        text.add(next);
      }
    }
    TestRun run = TestRun.on(backend, FIXTURES.resolve(name), DType.F32, requests);
    for (int i = 0; i < checks.size(); i++) {
      checks.get(i).accept(run.firstLogits(i));
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void shouldAgreeInBfloat16AsFarAsRoundingAllows(String backend, String name) throws IOException {
    JsonNode reference = reference(name);
    double bound = BFLOAT16_FACTOR * reference.get("low_precision").get("bfloat16").asDouble();
    JsonNode prompts = reference.get("prompts");
    TestRun run = TestRun.on(backend, FIXTURES.resolve(name), DType.BF16, prompts(prompts));
    for (int i = 0; i < prompts.size(); i++) {
      JsonNode prompt = prompts.get(i);
      String what = name + ", prompt " + prompt.get("id").asText();
      assertClose(floats(prompt.get("final_logits")), run.firstLogits(i), bound, what);
      assertTokensWhereMarginsAllow(prompt, run.tokens(i), bound, what);
    }
  }

  private static void assertTokensWhereMarginsAllow(
      JsonNode prompt, List<Integer> tokens, double bound, String what) {
    JsonNode greedy = prompt.get("greedy");
    int binding = isBindingWhileDecoding(prompt) ? tokens.size() : 1;
    for (int step = 0; step < binding; step++) {
      boolean same = tokens.get(step) == greedy.get("tokens").get(step).asInt();
      double margin = greedy.get("margins").get(step).asDouble();
      assertTrue(same || margin <= bound, what + ", token " + step + ", margin " + margin);
      if (!same) {
        return;
      }
    }
  }

  private static void assertTopLogits(
      JsonNode greedy, List<float[]> rows, double bound, String what) {
    for (int step = 0; step < rows.size(); step++) {
      JsonNode best = greedy.get("top5_ids").get(step);
      for (int k = 0; k < best.size(); k++) {
        double expected = greedy.get("top5_logits").get(step).get(k).asDouble();
        assertEquals(
            expected, rows.get(step)[best.get(k).asInt()], bound, what + ", token " + step);
      }
    }
  }

  private static void assertClose(float[] expected, float[] actual, double bound, String what) {
    assertEquals(expected.length, actual.length, what);
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], actual[i], bound, what + ", logit " + i);
    }
  }

  private static double logProbability(float[] logits, int token) {
    double most = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      most = Math.max(most, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - most);
    }
    return logits[token] - most - Math.log(sum);
  }

  private static List<GenerationRequest> prompts(JsonNode prompts) {
    List<GenerationRequest> requests = new ArrayList<>();
    for (JsonNode prompt : prompts) {
      int tokens = prompt.get("greedy").get("tokens").size();
      requests.add(TestRun.greedy(requests.size(), ids(prompt.get("input_ids")), tokens));
    }
    return requests;
  }

  /** Dynamic rope beyond the trained length depends on how a reference caches its keys. */
  private static boolean isBindingWhileDecoding(JsonNode prompt) {
    return prompt.get("greedy").get("check").asText().equals("full");
  }

  private static double scale(JsonNode reference) {
    return Math.max(1, reference.get("logit_scale").asDouble());
  }

  private static JsonNode reference(String name) throws IOException {
    return new ObjectMapper().readTree(FIXTURES.resolve(name, "reference.json").toFile());
  }

  private static List<Integer> ids(JsonNode array) {
    List<Integer> ids = new ArrayList<>();
    array.forEach(id -> ids.add(id.asInt()));
    return ids;
  }

  private static float[] floats(JsonNode array) {
    float[] values = new float[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) array.get(i).asDouble();
    }
    return values;
  }

  /** What must hold for a row of logits. */
  @FunctionalInterface
  private interface Check {
    void accept(float[] logits);
  }
}
