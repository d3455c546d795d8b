package dev.offload.sampling;

/** Log-probabilities of the model's own distribution over the whole vocabulary, in double. */
final class TokenLogprobs {
  private final LogitsRow row;
  private final double logSum;

  /**
   * @throws LogitsException if the row holds NaN or +infinity, or nothing but −infinity
   */
  TokenLogprobs(LogitsRow row) {
    this.row = row;
    this.logSum = row.logSumExp(row.get(row.argmax()));
  }

  /** Natural logarithm of the probability of a token. */
  double of(int token) {
    return row.get(token) - logSum;
  }
}
