package dev.offload.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.offload.generation.GenerationRequest;
import dev.offload.generation.GenerationResult.Choice;
import dev.offload.generation.GenerationResult.TokenLogprob;
import dev.offload.generation.TokenIds;
import dev.offload.tensors.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The trained models of the examples against what Hugging Face transformers generates with them.
 */
class TrainedModelsTest {
  private static final Path MODELS = Path.of("../examples/models");

  /** Two tokens whose logits are closer may change places. */
  private static final double FLOAT32_TIE = 2e-3;

  /** A few steps of bfloat16 between 8 and 16, where the best logits are. Also their error. */
  private static final double BFLOAT16_TIE = 0.25;

  @ParameterizedTest
  @ValueSource(strings = {"tiny-moe", "tiny-dense", "tiny-relu"})
  void shouldGenerateReferenceTokens(String model) throws IOException {
    check(model, DType.F32, "fp32", FLOAT32_TIE, 1e-3);
  }

  @ParameterizedTest
  @ValueSource(strings = {"tiny-moe", "tiny-dense", "tiny-relu"})
  void shouldGenerateReferenceTokensInBfloat16(String model) throws IOException {
    check(model, DType.BF16, "bf16", BFLOAT16_TIE, BFLOAT16_TIE);
  }

  private static void check(
      String model, DType dtype, String arithmetic, double tie, double logprobError)
      throws IOException {
    List<JsonNode> rows = rows(MODELS.resolve(model, "reference_generations.jsonl"));
    List<GenerationRequest> requests = new ArrayList<>();
    for (JsonNode row : rows) {
      List<Integer> prompt = new ArrayList<>();
      row.get("prompt_ids").forEach(id -> prompt.add(id.asInt()));
      int tokens = row.get("max_new_tokens").asInt();
      requests.add(
          new GenerationRequest(
              requests.size(), TokenIds.of(prompt), new SamplingFixture(tokens).params()));
    }
    TestRun run = TestRun.of(MODELS.resolve(model), dtype, requests);
    int compared = 0;
    for (int i = 0; i < rows.size(); i++) {
      String what = model + ", " + rows.get(i).get("id").asText();
      compared += compare(rows.get(i).get(arithmetic), run.choice(i), tie, logprobError, what);
    }
    assertTrue(compared > 200, compared + " tokens compared");
  }

  /** Returns how many tokens are the same; after a tie that went the other way none counts. */
  private static int compare(
      JsonNode expected, Choice choice, double tie, double logprobError, String what) {
    JsonNode ids = expected.get("ids");
    List<TokenLogprob> logprobs = choice.logprobs().orElseThrow();
    for (int step = 0; step < ids.size(); step++) {
      String where = what + ", token " + step;
      assertTrue(step < choice.tokens().size(), where + " is missing");
      if (choice.tokens().get(step) != ids.get(step).asInt()) {
        double gap = expected.get("gap_top1_top2").get(step).asDouble();
        assertTrue(gap < tie, where + " differs, gap " + gap);
        return step;
      }
      double logprob = expected.get("logprob").get(step).asDouble();
      assertEquals(logprob, logprobs.get(step).logprob(), logprobError, where);
    }
    assertEquals(ids.size(), choice.tokens().size(), what);
    return ids.size();
  }

  private static List<JsonNode> rows(Path file) throws IOException {
    ObjectMapper json = new ObjectMapper();
    List<JsonNode> rows = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      rows.add(json.readTree(line));
    }
    return rows;
  }
}
