package dev.offload.sampling;

/**
 * What is wanted of a row of logits: all of them, or what is enough to decide.
 *
 * @param best so many of the largest; 0 for all
 * @param sum whether the sum of all exponentials is wanted with the largest
 */
public record WantedLogits(int best, boolean sum) {
  /** The whole row. */
  public static final WantedLogits ALL = new WantedLogits(0, false);

  /** More than this are not looked for one by one: rows that want more get all. */
  public static final int MOST_BEST = 64;

  public WantedLogits {
    if (best < 0 || best > MOST_BEST) {
      throw new IllegalArgumentException(
          "%d logits are wanted, must be from 0 to %d".formatted(best, MOST_BEST));
    }
  }

  /**
   * The largest logits, or all where those would be no fewer numbers.
   *
   * @param best at least 1
   */
  static WantedLogits best(int best, boolean sum, int vocabularySize) {
    return best > MOST_BEST || 2 * best >= vocabularySize ? ALL : new WantedLogits(best, sum);
  }

  /** Whether it is the whole row. */
  public boolean isAll() {
    return best == 0;
  }

  /** Numbers that this is per row, if it is not the whole row. */
  public int numbers() {
    return 2 * best + (sum ? 1 : 0);
  }

  /** What is enough for both; neither may be the whole row. */
  public WantedLogits or(WantedLogits other) {
    return new WantedLogits(Math.max(best, other.best), sum || other.sum);
  }
}
