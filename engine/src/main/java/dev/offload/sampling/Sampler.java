package dev.offload.sampling;

import dev.offload.backends.api.LargestNumbers;
import dev.offload.generation.SamplingParams;

/**
 * Chooses a token from a row of logits, in the order
 *
 * <ol>
 *   <li>temperature (below {@value #GREEDY_BELOW}: the largest logit, the lowest id among equals),
 *   <li>top-k: the k likeliest, lower ids first among equals,
 *   <li>top-p: of these, the shortest run of likeliest tokens whose share is at least p,
 *   <li>min-p: of these, the tokens at least min-p times as likely as the likeliest.
 * </ol>
 *
 * <p>The likeliest token always stays. One random number decides. Immutable.
 */
final class Sampler {
  /** Temperatures below this are greedy. */
  static final double GREEDY_BELOW = 1e-5;

  /** Room for rounding where tokens are cut off ahead of the exact rule. */
  private static final double SLACK = 0.99;

  /** Room for tokens that top-p and min-p do not rule out at a glance; there may be more. */
  private static final int LIKELY_TOKENS = 256;

  private final double temperature;
  private final int topK;
  private final double topP;
  private final double minP;
  private final CounterRandom random;

  Sampler(SamplingParams sampling, CounterRandom random) {
    temperature = sampling.temperature();
    topK = sampling.topK();
    topP = sampling.topP();
    minP = sampling.minP();
    this.random = random;
  }

  /** Whether the largest logit is always chosen. */
  boolean isGreedy() {
    return temperature < GREEDY_BELOW;
  }

  /**
   * @param position of the token in the output, from 0
   * @throws LogitsException if the row holds NaN or infinity
   */
  int choose(LogitsRow row, int position) {
    int best = row.argmax();
    if (isGreedy()) {
      return best;
    }
    float max = row.get(best);
    double share = random.at(position);
    if (topK > 0 && topK < row.size()) {
      LargestNumbers likeliest = row.largest(topK);
      likeliest.sort();
      return drawFromBest(likeliest, max, share);
    }
    if (topP < 1 || minP > 0) {
      return drawFromLikely(row, max, share);
    }
    return drawFromAll(row, max, share);
  }

  /**
   * How many of the largest logits decide, whatever the others are; 0 if all are needed.
   *
   * @param vocabularySize number of logits
   */
  int decisive(int vocabularySize) {
    if (isGreedy()) {
      return 1;
    }
    return topK < vocabularySize ? topK : 0;
  }

  /**
   * As above, from the largest logits alone.
   *
   * @param best at least {@link #decisive} of them
   */
  int choose(BestLogits best, int position) {
    best.check();
    return isGreedy()
        ? best.token(0)
        : drawFromBest(best.likeliest(topK), best.logit(0), random.at(position));
  }

  private int drawFromBest(LargestNumbers likeliest, float max, double share) {
    double[] weights = weights(likeliest, max);
    return drawFrom(likeliest, weights, sum(weights), share);
  }

  /** Top-p and min-p look at the likely tokens only: the others cannot be part of the answer. */
  private int drawFromLikely(LogitsRow row, float max, double share) {
    double total = sum(row.blockSums(max, (float) (1 / temperature)));
    LargestNumbers likely = new LargestNumbers(LIKELY_TOKENS);
    row.collectAtLeast(
        (float) (max + temperature * Math.log(leastWeight(total, row.size()))), likely);
    likely.sort();
    return drawFrom(likely, weights(likely, max), total, share);
  }

  /**
   * Tokens of less weight than this are certainly cut off. All tokens below {@code (1 - p) * total
   * / n} together weigh less than {@code (1 - p) * total}, so the rest holds the share p already.
   */
  private double leastWeight(double total, int size) {
    return SLACK * Math.max((1 - topP) * total / size, minP);
  }

  /** Weights relative to the likeliest token, by rank. */
  private double[] weights(LargestNumbers candidates, float max) {
    double[] weights = new double[candidates.size()];
    for (int rank = 0; rank < weights.length; rank++) {
      weights[rank] = Math.exp(((double) candidates.number(rank) - max) / temperature);
    }
    return weights;
  }

  private int drawFrom(LargestNumbers sorted, double[] weights, double total, double share) {
    double wanted = topP * total;
    double mass = weights[0];
    int kept = 1;
    while (kept < weights.length && mass < wanted && weights[kept] >= minP) {
      mass += weights[kept++];
    }
    double target = share * mass;
    double passed = weights[0];
    int rank = 0;
    while (passed <= target && rank < kept - 1) {
      passed += weights[++rank];
    }
    return sorted.column(rank);
  }

  private int drawFromAll(LogitsRow row, float max, double share) {
    float scale = (float) (1 / temperature);
    double[] sums = row.blockSums(max, scale);
    double target = share * sum(sums);
    int block = 0;
    while (target >= sums[block] && block < sums.length - 1) {
      target -= sums[block++];
    }
    return row.tokenAt(block, target / sums[block], max, scale);
  }

  private static double sum(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum;
  }
}
