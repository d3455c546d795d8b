package dev.offload.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.generation.GenerationRequest;
import dev.offload.generation.GenerationResult;
import dev.offload.generation.GenerationResult.Choice;
import dev.offload.generation.GenerationResult.TokenLogprob;
import dev.offload.generation.RequestSource;
import dev.offload.generation.ResultSink;
import dev.offload.generation.SamplingParams;
import dev.offload.generation.TokenIds;
import dev.offload.tensors.DType;
import dev.offload.tensors.weights.ModelFolder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rows whose choice the largest logits decide give what they give from whole rows. */
class BestLogitsRunTest {
  private static final Path MODEL = Path.of("src/test/resources/fixtures/llama31-gqa");
  private static final long MEMORY = 1L << 30;

  @ParameterizedTest
  @ValueSource(strings = {TestDevices.CPU, TestDevices.OPENCL})
  void shouldChooseAsFromWholeRows(String backend) throws Exception {
    EngineOptions options = EngineOptions.of(Optional.of(DType.F32), MEMORY, MEMORY, 2, 0);
    try (ModelFolder folder = ModelFolder.open(MODEL);
        TestDevices devices = TestDevices.open(backend, MEMORY, MEMORY, 2)) {
      EngineModel model = EngineModel.of(folder);
      int vocabulary = model.config().vocabularySize();
      List<GenerationRequest> requests = requests(vocabulary);
      try (Engine engine =
          Engine.open(
              model,
              Optional.empty(),
              devices.device(),
              devices.host(),
              options,
              Engine.plan(model, devices.device(), options))) {
        Map<Long, GenerationResult> whole = run(engine, requests, true);
        assertFalse(searches(engine));
        Map<Long, GenerationResult> best = run(engine, requests, false);
        assertTrue(searches(engine));
        assertEquals(requests.size(), best.size());
        whole.forEach((row, result) -> assertSame(result, best.get(row)));
      }
    }
  }

  /** Greedy and sampled ones, with and without log-probabilities, and some that need all. */
  private static List<GenerationRequest> requests(int vocabulary) {
    Random random = new Random(4);
    List<GenerationRequest> requests = new ArrayList<>();
    for (int i = 0; i < 24; i++) {
      int[] prompt = random.ints(1 + random.nextInt(20), 0, vocabulary).toArray();
      boolean needsAll = i % 8 == 0;
      SamplingParams sampling =
          new SamplingParams(
              i % 3 == 0 || needsAll ? 0.9 : 0,
              1,
              needsAll ? 0 : 5,
              0,
              1,
              0,
              0,
              Map.of(),
              OptionalLong.of(i),
              8,
              0,
              true,
              List.of(),
              List.of(),
              1,
              i % 4 - 1);
      requests.add(new GenerationRequest(i, TokenIds.of(prompt), sampling));
    }
    return requests;
  }

  /**
   * A run.
   *
   * @param observed whether somebody looks at all logits, who needs whole rows
   */
  private static Map<Long, GenerationResult> run(
      Engine engine, List<GenerationRequest> requests, boolean observed) {
    Map<Long, GenerationResult> results = new TreeMap<>();
    Iterator<GenerationRequest> source = requests.iterator();
    RequestSource next = () -> source.hasNext() ? Optional.of(source.next()) : Optional.empty();
    ResultSink sink = result -> results.put(result.index(), result);
    if (observed) {
      engine.run(next, sink, _ -> {}, (_, _, _) -> {});
    } else {
      engine.run(next, sink, _ -> {});
    }
    return results;
  }

  /** Whether the device looked for the largest logits in a typical pass of the last run. */
  private static boolean searches(Engine engine) {
    return engine.timeline().orElseThrow().spans().stream()
        .anyMatch(span -> span.task().equals("largest logits"));
  }

  private static void assertSame(GenerationResult wanted, GenerationResult given) {
    Choice choice = wanted.choices().getFirst();
    Choice other = given.choices().getFirst();
    assertEquals(choice.tokens(), other.tokens(), "row " + wanted.index());
    List<TokenLogprob> logprobs = choice.logprobs().orElse(List.of());
    List<TokenLogprob> others = other.logprobs().orElse(List.of());
    assertEquals(logprobs.size(), others.size());
    for (int i = 0; i < logprobs.size(); i++) {
      assertEquals(logprobs.get(i).logprob(), others.get(i).logprob(), 2e-6);
      assertEquals(
          logprobs.get(i).top().stream().map(TokenLogprob::token).toList(),
          others.get(i).top().stream().map(TokenLogprob::token).toList());
    }
  }
}
