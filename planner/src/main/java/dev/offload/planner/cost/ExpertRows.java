package dev.offload.planner.cost;

import java.util.function.DoubleUnaryOperator;

/**
 * How many rows an expert of a mixture gets in a pass, if each token chooses independently of the
 * others: binomially distributed.
 *
 * @param tokens of the pass, a mean perhaps
 * @param shares how likely a token is to choose each expert
 */
public record ExpertRows(double tokens, ExpertShares shares) {
  /** Above so many rows on average a normal distribution is close enough. */
  private static final double LARGE = 64;

  public ExpertRows {
    if (!(tokens >= 0) || shares.alike().isEmpty()) {
      throw new IllegalArgumentException(
          "%s tokens cannot choose among %s".formatted(tokens, shares.alike()));
    }
  }

  /**
   * Rows if all experts are equally likely.
   *
   * @param perToken experts of each token
   * @param experts of the layer
   */
  public ExpertRows(double tokens, int perToken, int experts) {
    this(tokens, ExpertShares.equal(perToken, experts));
  }

  /** Rows of an expert on average. */
  public double mean() {
    return tokens * shares.mean(share -> share);
  }

  /**
   * How likely one of {@code together} experts at least is used, whichever these are: with shares p
   * and n tokens, 1 − (mean of (1 − p)^n)^together.
   */
  public double used(double together) {
    return 1 - Math.pow(shares.mean(this::unused), together);
  }

  /** How likely none of the tokens chooses an expert. */
  private double unused(double share) {
    return share >= 1 ? Math.max(0, 1 - tokens) : Math.exp(tokens * Math.log1p(-share));
  }

  /** The mean over all experts of a function of their rows; of no rows it is 0. */
  public double expected(DoubleUnaryOperator ofRows) {
    return shares.mean(share -> expected(share, ofRows));
  }

  private double expected(double share, DoubleUnaryOperator ofRows) {
    double mean = tokens * share;
    if (mean == 0) {
      return 0;
    }
    if (share >= 1 || tokens < 1) {
      return (1 - unused(share)) * ofRows.applyAsDouble(Math.max(1, mean));
    }
    if (mean > LARGE) {
      // Three-point Gauss-Hermite quadrature.
      double distance = Math.sqrt(3 * mean * (1 - share));
      return ofRows.applyAsDouble(mean) * 2 / 3
          + (ofRows.applyAsDouble(mean - distance) + ofRows.applyAsDouble(mean + distance)) / 6;
    }
    // P(r+1) = P(r) · (n−r)/(r+1) · p/(1−p), for n that need not be whole.
    double odds = share / (1 - share);
    double probability = unused(share);
    double sum = 0;
    double most = mean + 8 * Math.sqrt(mean) + 8;
    for (int rows = 1; rows <= most && rows < tokens + 1; rows++) {
      probability *= (tokens - rows + 1) / rows * odds;
      sum += probability * ofRows.applyAsDouble(rows);
    }
    return sum;
  }
}
