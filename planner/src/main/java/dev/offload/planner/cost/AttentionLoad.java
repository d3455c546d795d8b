package dev.offload.planner.cost;

/**
 * What attention has to do for some rows of a pass.
 *
 * @param sequences that decode, one row each
 * @param context tokens that such a row sees, itself included, on average
 * @param promptTokens rows of prompts
 * @param promptContext tokens that such a row sees, itself included, on average
 */
public record AttentionLoad(
    double sequences, double context, double promptTokens, double promptContext) {

  /** Nothing to do. */
  public static final AttentionLoad NONE = new AttentionLoad(0, 0, 0, 0);

  /** Rows in all. */
  public double rows() {
    return sequences + promptTokens;
  }

  /** The same for a part of the rows. */
  public AttentionLoad times(double share) {
    return new AttentionLoad(sequences * share, context, promptTokens * share, promptContext);
  }

  /** Cached tokens that rows that decode see; 0 as window means all. */
  double decodePairs(int window) {
    return sequences * (window == 0 ? context : Math.min(window, context));
  }

  /**
   * Pairs of a prompt's row and a token that it sees: rows lie evenly between the first, which sees
   * itself, and the last, which sees twice the mean.
   */
  double promptPairs(int window) {
    if (window == 0 || window >= 2 * promptContext) {
      return promptTokens * promptContext;
    }
    return promptTokens * (window - window * (double) window / (4 * promptContext));
  }
}
