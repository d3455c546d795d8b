package dev.offload.sampling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.LargestNumbers;
import dev.offload.generation.SamplingParams;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class SamplerTest {
  private static final int DRAWS = 20_000;

  private static Sampler sampler(double temperature, int topK, double topP, double minP) {
    SamplingParams sampling =
        new SamplingParams(
            temperature,
            topP,
            topK,
            minP,
            1,
            0,
            0,
            Map.of(),
            OptionalLong.empty(),
            8,
            0,
            false,
            List.of(),
            List.of(),
            1,
            -1);
    return new Sampler(sampling, CounterRandom.of(42, 0));
  }

  /** Sizes around vectors and blocks. */
  @ParameterizedTest
  @ValueSource(ints = {1, 4, 13, 207, 1023, 1024, 1025, 4098, 151_936})
  void shouldFindTheLargestLogit(int size) {
    float[] logits = Rows.random(size, 3, size);
    int best = 0;
    for (int i = 0; i < size; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    assertEquals(best, sampler(0, 0, 1, 0).choose(Rows.row(logits), 0));
    logits[size - 1] = 99;
    assertEquals(size - 1, sampler(0, 0, 1, 0).choose(Rows.row(logits), 0));
  }

  @Test
  void shouldTakeTheLowestIdAmongEquals() {
    float[] logits = new float[5000];
    logits[3000] = 1;
    logits[1500] = 1;
    logits[4999] = 1;
    assertEquals(1500, sampler(0, 0, 1, 0).choose(Rows.row(logits), 0));
    assertEquals(1500, sampler(1, 1, 1, 0).choose(Rows.row(logits), 0));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 15, 1024, 2500, 2999})
  void shouldNameNanAndInfinity(int place) {
    float[] logits = Rows.random(3000, 1, 1);
    logits[place] = Float.NaN;
    LogitsException nan =
        assertThrows(LogitsException.class, () -> sampler(0, 0, 1, 0).choose(Rows.row(logits), 0));
    assertTrue(nan.getMessage().contains("NaN at token " + place), nan.getMessage());
    logits[place] = Float.POSITIVE_INFINITY;
    assertThrows(LogitsException.class, () -> sampler(1, 0, 1, 0).choose(Rows.row(logits), 0));
  }

  @Test
  void shouldRefuseARowWithoutPossibleToken() {
    LogitsRow row = Rows.row(Float.NEGATIVE_INFINITY, Float.NEGATIVE_INFINITY);
    assertThrows(LogitsException.class, () -> sampler(0, 0, 1, 0).choose(row, 0));
  }

  @ParameterizedTest
  @CsvSource({
    "1, 0, 1, 0",
    "0.5, 0, 1, 0",
    "2, 0, 1, 0",
    "1, 5, 1, 0",
    "1, 0, 0.7, 0",
    "1, 0, 1, 0.2",
    "0.8, 12, 0.9, 0.02",
    "1, 0, 0.95, 0.1",
    "3, 0, 0.5, 0",
    "1, 39, 0.9, 0"
  })
  void shouldDrawFromTheDistribution(double temperature, int topK, double topP, double minP) {
    float[] logits = Rows.random(40, 1.5, 3);
    double[] expected = distribution(logits, temperature, topK, topP, minP);
    int[] counts = new int[logits.length];
    Sampler sampler = sampler(temperature, topK, topP, minP);
    LogitsRow row = Rows.row(logits);
    for (int i = 0; i < DRAWS; i++) {
      counts[sampler.choose(row, i)]++;
    }
    assertFits(expected, counts);
  }

  @Test
  void shouldDrawFromManyBlocks() {
    float[] logits = new float[5000];
    int[] byBlock = new int[5];
    Sampler sampler = sampler(1, 0, 1, 0);
    LogitsRow row = Rows.row(logits);
    for (int i = 0; i < DRAWS; i++) {
      byBlock[sampler.choose(row, i) / 1000]++;
    }
    assertFits(new double[] {0.2, 0.2, 0.2, 0.2, 0.2}, byBlock);
  }

  /** Sorts everything: slow and plain. */
  private static double[] distribution(
      float[] logits, double temperature, int topK, double topP, double minP) {
    List<Integer> order =
        IntStream.range(0, logits.length)
            .boxed()
            .sorted((a, b) -> Float.compare(logits[b], logits[a]))
            .toList();
    double[] weights = new double[logits.length];
    int candidates = topK == 0 ? logits.length : topK;
    double total = 0;
    for (int token : order.subList(0, candidates)) {
      weights[token] = Math.exp((logits[token] - logits[order.getFirst()]) / temperature);
      total += weights[token];
    }
    double before = 0;
    double kept = 0;
    for (int token : order) {
      boolean cut = before >= topP * total && before > 0;
      before += weights[token];
      weights[token] = cut || weights[token] < minP ? 0 : weights[token];
      kept += weights[token];
    }
    for (int i = 0; i < weights.length; i++) {
      weights[i] /= kept;
    }
    return weights;
  }

  /** Pearson's test, at five standard deviations of the chi-square distribution. */
  private static void assertFits(double[] expected, int[] counts) {
    double statistic = 0;
    int cells = 0;
    for (int i = 0; i < counts.length; i++) {
      if (expected[i] == 0) {
        assertEquals(0, counts[i], "token " + i + " is cut off");
        continue;
      }
      double mean = expected[i] * DRAWS;
      statistic += (counts[i] - mean) * (counts[i] - mean) / mean;
      cells++;
    }
    double freedom = Math.max(1, cells - 1.0);
    double limit = freedom + 5 * Math.sqrt(2 * freedom);
    assertTrue(statistic < limit, "chi-square " + statistic + " above " + limit);
  }

  @Test
  void shouldDependOnSeedChoiceAndPositionOnly() {
    assertEquals(CounterRandom.of(1, 2).at(3), CounterRandom.of(1, 2).at(3));
    assertNotEquals(CounterRandom.of(1, 2).at(3), CounterRandom.of(2, 2).at(3));
    assertNotEquals(CounterRandom.of(1, 2).at(3), CounterRandom.of(1, 3).at(3));
    assertNotEquals(CounterRandom.of(1, 2).at(3), CounterRandom.of(1, 2).at(4));
    assertNotEquals(CounterRandom.rowSeed(1, 2), CounterRandom.rowSeed(1, 3));
    assertNotEquals(CounterRandom.rowSeed(1, 2), CounterRandom.rowSeed(2, 2));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 50, 999, 4000})
  void shouldSelectTheLargest(int count) {
    float[] logits = Rows.random(4000, 1, 5);
    for (int i = 0; i < logits.length; i++) {
      logits[i] = Math.round(logits[i] * 20) / 20f; // many equal ones
    }
    LargestNumbers best = Rows.row(logits).largest(count);
    best.sort();
    List<Integer> expected =
        IntStream.range(0, logits.length)
            .boxed()
            .sorted((a, b) -> Float.compare(logits[b] + 0f, logits[a] + 0f))
            .limit(count)
            .toList();
    assertEquals(expected, IntStream.range(0, count).mapToObj(best::column).toList());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 13, 1024, 5001})
  void shouldSumExponentialsInDouble(int size) {
    float[] logits = Rows.random(size, 8, 9);
    double max = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      max = Math.max(max, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - max);
    }
    assertEquals(max + Math.log(sum), Rows.row(logits).logSumExp((float) max), 1e-12);
  }
}
