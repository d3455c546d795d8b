package dev.offload.jobs.rows;

/** What a label's log-likelihood is divided by before labels are compared. */
public enum Normalisation {
  /** Nothing: the probability that the model writes the label. */
  NONE {
    @Override
    double score(double logLikelihood, int tokens) {
      return logLikelihood;
    }
  },
  /** The label's tokens: the mean over its tokens. */
  TOKENS {
    @Override
    double score(double logLikelihood, int tokens) {
      return logLikelihood / tokens;
    }
  };

  /**
   * What labels are compared by.
   *
   * @param logLikelihood natural logarithm
   * @param tokens of the label, at least 1
   */
  abstract double score(double logLikelihood, int tokens);
}
