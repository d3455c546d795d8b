package dev.offload.planner.cost;

import java.util.function.DoubleUnaryOperator;

/**
 * How many rows an expert of a mixture gets in a pass, if each token chooses {@code perToken} of
 * {@code experts} at random: binomially distributed.
 *
 * @param tokens of the pass, a mean perhaps
 * @param perToken experts of each token
 * @param experts of the layer
 */
public record ExpertRows(double tokens, int perToken, int experts) {
  /** Above so many rows on average a normal distribution is close enough. */
  private static final double LARGE = 64;

  public ExpertRows {
    if (!(tokens >= 0) || perToken < 1 || perToken > experts) {
      throw new IllegalArgumentException(
          "%s tokens cannot choose %d of %d experts each".formatted(tokens, perToken, experts));
    }
  }

  private double share() {
    return (double) perToken / experts;
  }

  /** Rows of an expert on average. */
  public double mean() {
    return tokens * share();
  }

  /** How likely one of {@code together} experts at least is used: 1 − (1 − k/E)^(n·together). */
  public double used(double together) {
    if (perToken == experts) {
      return Math.min(1, tokens);
    }
    return -Math.expm1(tokens * together * Math.log1p(-share()));
  }

  /** The mean of a function of the rows of one expert; of no rows it is 0. */
  public double expected(DoubleUnaryOperator ofRows) {
    double mean = mean();
    double used = used(1);
    if (perToken == experts || tokens < 1) {
      return used * ofRows.applyAsDouble(Math.max(1, mean));
    }
    if (mean > LARGE) {
      // Three-point Gauss-Hermite quadrature.
      double distance = Math.sqrt(3 * mean * (1 - share()));
      return ofRows.applyAsDouble(mean) * 2 / 3
          + (ofRows.applyAsDouble(mean - distance) + ofRows.applyAsDouble(mean + distance)) / 6;
    }
    // P(r+1) = P(r) · (n−r)/(r+1) · p/(1−p), for n that need not be whole.
    double odds = share() / (1 - share());
    double probability = Math.exp(tokens * Math.log1p(-share()));
    double sum = 0;
    double most = mean + 8 * Math.sqrt(mean) + 8;
    for (int rows = 1; rows <= most && rows < tokens + 1; rows++) {
      probability *= (tokens - rows + 1) / rows * odds;
      sum += probability * ofRows.applyAsDouble(rows);
    }
    return sum;
  }
}
