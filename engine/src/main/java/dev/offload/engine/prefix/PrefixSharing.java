package dev.offload.engine.prefix;

/**
 * How far a run looks ahead for rows that begin alike. What is read ahead is kept in host memory
 * outside the budgets, four bytes per token.
 *
 * @param windowSequences most sequences looked at together; with 1 nothing is shared
 * @param windowTokens most prompt tokens of them together; a single row may have more
 */
public record PrefixSharing(int windowSequences, long windowTokens) {
  /** Computes every prompt for itself, in the order of the rows. */
  public static final PrefixSharing OFF = new PrefixSharing(1, 1);

  /** Many times more rows than run at a time. */
  public static final PrefixSharing USUAL = new PrefixSharing(4096, 4L << 20);

  public PrefixSharing {
    if (windowSequences < 1 || windowTokens < 1) {
      throw new IllegalArgumentException(
          "a window of %d sequences and %d tokens, both must be at least 1"
              .formatted(windowSequences, windowTokens));
    }
  }

  /** Whether anything can be shared. */
  public boolean isOn() {
    return windowSequences > 1;
  }
}
