package dev.offload.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.engine.prefix.PrefixSharing;
import dev.offload.generation.GenerationRequest;
import dev.offload.generation.GenerationResult.Choice;
import dev.offload.generation.GenerationResult.FinishReason;
import dev.offload.planner.KvGroup;
import dev.offload.tensors.DType;
import dev.offload.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a request gets does not depend on what else is in the job. */
class CompanyTest {
  private static final Path MODEL = Path.of("../examples/models/tiny-moe");
  private static final long MEMORY = 1L << 30;

  /** Products over other numbers of rows add up in another order. */
  private static final float ROUNDING = 1e-3f;

  private static final List<String> PROMPTS =
      List.of(
          "The kernel provides",
          "Text: Der Drucker ist nicht angeschlossen.\nLanguage:",
          "To install the package, open a terminal and",
          "Die Tabelle enthält",
          "In this chapter",
          "Pour ouvrir un fichier,");

  private static Tokenizer tokenizer;

  @BeforeAll
  static void openTokenizer() throws IOException {
    tokenizer = Tokenizer.open(MODEL);
  }

  @AfterAll
  static void closeTokenizer() {
    tokenizer.close();
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 7", "3, 1, 512", "6, 2, 5", "24, 3, 64"})
  void shouldGiveTheSameInOtherCompany(int sequences, int microBatches, int microBatchTokens)
      throws IOException {
    List<GenerationRequest> requests = mixedRequests();
    TestRun together = run(requests, 24, 1, 512);
    List<GenerationRequest> shuffled = new ArrayList<>(requests);
    Collections.shuffle(shuffled, new Random(sequences));
    TestRun apart = run(shuffled, sequences, microBatches, microBatchTokens);
    int parted = 0;
    for (GenerationRequest request : requests) {
      parted += isSame(together, apart, request) ? 0 : 1;
    }
    assertTrue(parted <= 1, parted + " requests chose another token");
  }

  /** Checks the logits for as long as both have the same text before them. */
  private static boolean isSame(TestRun one, TestRun other, GenerationRequest request) {
    long index = request.index();
    List<Integer> tokens = one.tokens(index);
    List<Integer> others = other.tokens(index);
    for (int step = 0; step < tokens.size(); step++) {
      assertArrayEquals(
          one.logits().get(index).get(step),
          other.logits().get(index).get(step),
          ROUNDING,
          "row " + index + ", token " + step);
      if (!tokens.get(step).equals(others.get(step))) {
        return false;
      }
    }
    assertEquals(texts(one, index), texts(other, index));
    return true;
  }

  @Test
  void shouldGiveDifferentChoicesAndRepeatThem() throws IOException {
    List<GenerationRequest> request =
        List.of(request(0, new SamplingFixture(16).sampled(1, 7).withChoices(4)));
    List<String> texts = texts(run(request, 24, 1, 512), 0);
    assertEquals(4, texts.stream().distinct().count(), texts::toString);
    assertEquals(texts, texts(run(request, 2, 1, 512), 0));
    assertNotEquals(
        texts,
        texts(
            run(
                List.of(request(0, new SamplingFixture(16).sampled(1, 8).withChoices(4))),
                24,
                1,
                512),
            0));
  }

  @Test
  void shouldStopBeforeAStopText() throws IOException {
    TestRun run =
        run(
            List.of(
                request(0, new SamplingFixture(30)),
                request(6, new SamplingFixture(30).withStop("the dev")),
                request(12, new SamplingFixture(30).withStop("nowhere to be found"))),
            24,
            1,
            512);
    Choice free = run.choice(0);
    int end = free.text().indexOf("the dev");
    assertTrue(end > 0, free.text());
    assertEquals(free.text().substring(0, end), run.choice(6).text());
    assertEquals(FinishReason.STOP, run.choice(6).finishReason());
    assertEquals(free, run.choice(12));
    assertEquals(FinishReason.LENGTH, free.finishReason());
  }

  @Test
  void shouldGiveTheLogprobOfEachToken() throws IOException {
    TestRun run = run(List.of(request(0, new SamplingFixture(12).sampled(1.3, 3))), 24, 1, 512);
    Choice choice = run.choice(0);
    assertFalse(choice.tokens().stream().allMatch(t -> t == choice.tokens().get(0)));
    for (int step = 0; step < choice.tokens().size(); step++) {
      int token = choice.tokens().get(step);
      assertEquals(token, choice.logprobs().orElseThrow().get(step).token());
      assertEquals(
          logProbability(run.logits().get(0L).get(step), token),
          choice.logprobs().orElseThrow().get(step).logprob(),
          1e-4);
    }
  }

  private static double logProbability(float[] logits, int token) {
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - (double) logits[token]);
    }
    return -Math.log(sum);
  }

  private static List<GenerationRequest> mixedRequests() {
    List<GenerationRequest> requests = new ArrayList<>();
    for (int i = 0; i < 24; i++) {
      SamplingFixture sampling = new SamplingFixture(4 + i);
      if (i % 2 == 1) {
        sampling = sampling.sampled(0.5 + 0.05 * i, 100 + i);
      }
      requests.add(request(i, i % 3 == 0 ? sampling.withStop(".", "\n\n") : sampling));
    }
    return requests;
  }

  private static GenerationRequest request(int index, SamplingFixture sampling) {
    String prompt = PROMPTS.get(index % PROMPTS.size());
    return new GenerationRequest(index, tokenizer.encode(prompt, true), sampling.params());
  }

  private static List<String> texts(TestRun run, long index) {
    return run.results().get(index).choices().stream().map(Choice::text).toList();
  }

  private static TestRun run(
      List<GenerationRequest> requests, int sequences, int microBatches, int microBatchTokens)
      throws IOException {
    EngineOptions options =
        new EngineOptions(
            Optional.of(DType.F32),
            MEMORY,
            MEMORY,
            2,
            0,
            Batching.of(sequences, microBatches, microBatchTokens),
            Optional.empty(),
            OptionalInt.of(128),
            Optional.of(KvGroup.Home.DEVICE),
            AdmissionPolicy.EXPECTED_LENGTH,
            PrefixSharing.USUAL,
            Optional.empty(),
            true);
    return TestRun.of(MODEL, Optional.of(tokenizer), options, requests);
  }
}
