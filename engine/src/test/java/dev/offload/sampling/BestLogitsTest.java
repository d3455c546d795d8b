package dev.offload.sampling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.generation.GenerationRequest;
import dev.offload.generation.GenerationResult.TokenLogprob;
import dev.offload.generation.SamplingParams;
import dev.offload.generation.TokenIds;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Outputs choose the same from the largest logits as from the whole row. */
final class BestLogitsTest {
  private static final int VOCABULARY = 3000;
  private static final int TOKENS = 200;

  private static SequenceOutput output(SamplingParams sampling) {
    OutputRules rules = new OutputRules(Optional.empty(), TokenIds.of(), VOCABULARY, 4096, 5);
    return new SequenceOutput(rules, new GenerationRequest(3, TokenIds.of(1), sampling), 0);
  }

  private static SamplingParams sampling(
      double temperature, int topK, double topP, double minP, int minTokens, int logprobs) {
    return new SamplingParams(
        temperature,
        topP,
        topK,
        minP,
        1,
        0,
        0,
        Map.of(),
        OptionalLong.of(9),
        TOKENS,
        minTokens,
        true,
        List.of(),
        List.of(),
        1,
        logprobs);
  }

  /** What a device finds, written down simply. */
  private static BestLogits best(float[] logits, int count) {
    int[] tokens =
        IntStream.range(0, logits.length)
            .boxed()
            .sorted(
                Comparator.comparing((Integer i) -> !Float.isNaN(logits[i]))
                    .thenComparing(i -> 0f - logits[i])
                    .thenComparing(Comparator.naturalOrder()))
            .mapToInt(Integer::intValue)
            .limit(count)
            .toArray();
    float[] values = new float[count];
    for (int rank = 0; rank < count; rank++) {
      values[rank] = logits[tokens[rank]];
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp((double) logit - values[0]);
    }
    return new BestLogits(
        MemorySegment.ofArray(values), MemorySegment.ofArray(tokens), (float) sum);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0, 1, 0, -1, 1",
    "0, 0, 1, 0, 0, 1",
    "0, 7, 0.5, 0, 5, 5",
    "1, 1, 1, 0, -1, 1",
    "1, 40, 1, 0, -1, 40",
    "0.7, 40, 0.9, 0, 3, 40",
    "2, 64, 1, 0.1, 20, 64",
    "1.3, 10, 1, 0, 20, 20"
  })
  void shouldChooseAsFromAWholeRow(
      double temperature, int topK, double topP, double minP, int logprobs, int best) {
    SamplingParams sampling = sampling(temperature, topK, topP, minP, 0, logprobs);
    SequenceOutput fromAll = output(sampling);
    SequenceOutput fromBest = output(sampling);
    assertEquals(new WantedLogits(best, logprobs >= 0), fromBest.wanted());
    for (int i = 0; i < TOKENS; i++) {
      float[] logits = Rows.random(VOCABULARY, 3, i);
      if (i % 3 == 0) {
        for (int t = 0; t < VOCABULARY; t++) {
          logits[t] = Math.round(logits[t]); // equals
        }
      }
      boolean finished = fromAll.accept(Rows.of(logits));
      // Others in the pass may want more.
      assertEquals(finished, fromBest.accept(best(logits, Math.min(64, best + i % 2))));
      assertEquals(fromAll.lastToken(), fromBest.lastToken());
    }
    List<TokenLogprob> wanted = fromAll.choice().logprobs().orElse(List.of());
    List<TokenLogprob> given = fromBest.choice().logprobs().orElse(List.of());
    assertEquals(wanted.size(), given.size());
    for (int i = 0; i < wanted.size(); i++) {
      assertSame(wanted.get(i), given.get(i));
      for (int rank = 0; rank < logprobs; rank++) {
        assertSame(wanted.get(i).top().get(rank), given.get(i).top().get(rank));
      }
    }
  }

  private static void assertSame(TokenLogprob wanted, TokenLogprob given) {
    assertEquals(wanted.token(), given.token());
    assertEquals(wanted.logprob(), given.logprob(), 1e-6);
    assertEquals(wanted.top().size(), given.top().size());
  }

  @Test
  void shouldWantWholeRowsWhereMoreDecides() {
    assertTrue(output(sampling(1, 0, 1, 0, 0, -1)).wanted().isAll(), "no top-k");
    assertTrue(output(sampling(1, 0, 0.9, 0, 0, -1)).wanted().isAll(), "top-p alone");
    assertTrue(output(sampling(1, 65, 1, 0, 0, -1)).wanted().isAll(), "more than are looked for");
    assertTrue(output(sampling(0, 0, 1, 0, 3, -1)).wanted().isAll(), "end tokens may not come yet");
    assertFalse(output(sampling(0, 0, 1, 0, 0, -1)).wanted().isAll(), "greedy");
    SequenceOutput whole = output(sampling(1, 0, 1, 0, 0, -1));
    BestLogits best = best(Rows.random(VOCABULARY, 3, 1), 4);
    assertThrows(IllegalStateException.class, () -> whole.accept(best));
  }

  @Test
  void shouldNameNanAndInfinity() {
    float[] logits = Rows.random(VOCABULARY, 3, 1);
    logits[2000] = Float.POSITIVE_INFINITY;
    assertSays("infinity at token 2000", logits);
    logits[2500] = Float.NaN;
    assertSays("NaN at token 2500", logits);
    Arrays.fill(logits, Float.NEGATIVE_INFINITY);
    assertSays("all logits are -infinity", logits);
  }

  private static void assertSays(String what, float[] logits) {
    SequenceOutput output = output(sampling(0, 0, 1, 0, 0, -1));
    LogitsException e =
        assertThrows(LogitsException.class, () -> output.accept(best(logits, 1)), what);
    assertTrue(e.getMessage().contains(what), e.getMessage());
    assertTrue(e.getMessage().startsWith("row 3,"), e.getMessage());
  }
}
