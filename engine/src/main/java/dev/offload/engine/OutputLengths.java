package dev.offload.engine;

import java.util.Arrays;

/**
 * How long the outputs of a run are, as far as one can tell while most of them are still growing: a
 * life table. Lengths are counted in stretches of the tokens of a cache block. Of every stretch it
 * knows how many outputs entered it and how many ended in it, so that outputs that are still
 * running count for what they have shown, and short ones that finish first do not make all look
 * short. Outputs that were cut off by their own limit say nothing about where they would have
 * ended. Not thread-safe.
 */
final class OutputLengths {
  /**
   * How many outputs of unknown kind the table begins with. Their lengths are spread evenly up to
   * the most that is allowed, half of it on average.
   */
  private static final double PRIOR_OUTPUTS = 4;

  private final int stretchTokens;
  private int[] entered = new int[16];
  private int[] ended = new int[16];

  /**
   * @param stretchTokens tokens of a stretch
   */
  OutputLengths(int stretchTokens) {
    this.stretchTokens = stretchTokens;
  }

  /** Number of the stretch that holds the token behind the first so many. */
  int stretchBehind(int tokens) {
    return tokens / stretchTokens;
  }

  /**
   * An output got a token.
   *
   * @param tokens how many it has now, at least 1
   * @param endsByItself whether that was its last, and it could have had more
   */
  void grew(int tokens, boolean endsByItself) {
    int stretch = stretchBehind(tokens - 1);
    if (stretch >= entered.length) {
      int size = Math.max(stretch + 1, 2 * entered.length);
      entered = Arrays.copyOf(entered, size);
      ended = Arrays.copyOf(ended, size);
    }
    if ((tokens - 1) % stretchTokens == 0) {
      entered[stretch]++;
    }
    if (endsByItself) {
      ended[stretch]++;
    }
  }

  /**
   * The likelihood that an output which enters a stretch ends in it.
   *
   * @param mostTokens most tokens of the output, beyond the stretch's first
   */
  double endsIn(int stretch, int mostTokens) {
    int stretchesLeft = Math.ceilDiv(mostTokens, stretchTokens) - stretch;
    int here = stretch < entered.length ? entered[stretch] : 0;
    int endedHere = stretch < ended.length ? ended[stretch] : 0;
    return (endedHere + PRIOR_OUTPUTS / stretchesLeft) / (here + PRIOR_OUTPUTS);
  }
}
