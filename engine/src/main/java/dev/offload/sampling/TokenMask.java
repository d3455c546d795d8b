package dev.offload.sampling;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The tokens that a constraint allows at one place, and how to choose among them: in time by the
 * number of allowed or of forbidden tokens, whichever are fewer. Immutable.
 */
final class TokenMask {
  private final long[] allowed;
  private final int size;
  private final int count;

  /**
   * @param allowed a bit per token
   * @param size of the vocabulary
   */
  TokenMask(long[] allowed, int size) {
    this.allowed = allowed;
    this.size = size;
    int count = 0;
    for (long word : allowed) {
      count += Long.bitCount(word);
    }
    this.count = count;
  }

  /** Number of allowed tokens. */
  int count() {
    return count;
  }

  boolean allows(int token) {
    return (allowed[token >> 6] & 1L << token) != 0;
  }

  /** Memory that it takes. */
  int bytes() {
    return allowed.length * Long.BYTES;
  }

  /**
   * Chooses an allowed token as if the logits of all others were −infinity.
   *
   * @param row changed meanwhile, and as it was afterwards
   * @param scratch room for a row of logits
   * @throws LogitsException if what is looked at holds NaN or infinity
   */
  int choose(Sampler sampler, LogitsRow row, int position, MemorySegment scratch) {
    if (count <= size / 2) {
      return chooseAmong(sampler, row, position, scratch);
    }
    if (sampler.isGreedy()) {
      int best = row.argmax();
      if (allows(best)) {
        return best;
      }
    }
    return chooseWithout(sampler, row, position, scratch);
  }

  private int chooseAmong(Sampler sampler, LogitsRow row, int position, MemorySegment few) {
    long index = 0;
    for (int word = 0; word < allowed.length; word++) {
      for (long bits = allowed[word]; bits != 0; bits &= bits - 1) {
        int token = (word << 6) + Long.numberOfTrailingZeros(bits);
        few.setAtIndex(ValueLayout.JAVA_FLOAT, index++, row.get(token));
      }
    }
    return nth(sampler.choose(new LogitsRow(few, count), position));
  }

  /** The allowed token with so many before it. */
  private int nth(int n) {
    int before = n;
    int word = 0;
    for (int here = Long.bitCount(allowed[0]); here <= before; ) {
      before -= here;
      here = Long.bitCount(allowed[++word]);
    }
    long bits = allowed[word];
    for (; before > 0; before--) {
      bits &= bits - 1;
    }
    return (word << 6) + Long.numberOfTrailingZeros(bits);
  }

  private int chooseWithout(Sampler sampler, LogitsRow row, int position, MemorySegment saved) {
    long index = 0;
    for (int word = 0; word < allowed.length; word++) {
      for (long bits = forbidden(word); bits != 0; bits &= bits - 1) {
        int token = (word << 6) + Long.numberOfTrailingZeros(bits);
        saved.setAtIndex(ValueLayout.JAVA_FLOAT, index++, row.get(token));
        row.set(token, Float.NEGATIVE_INFINITY);
      }
    }
    try {
      return sampler.choose(row, position);
    } finally {
      restore(row, saved);
    }
  }

  private void restore(LogitsRow row, MemorySegment saved) {
    long index = 0;
    for (int word = 0; word < allowed.length; word++) {
      for (long bits = forbidden(word); bits != 0; bits &= bits - 1) {
        int token = (word << 6) + Long.numberOfTrailingZeros(bits);
        row.set(token, saved.getAtIndex(ValueLayout.JAVA_FLOAT, index++));
      }
    }
  }

  private long forbidden(int word) {
    int rest = size - (word << 6);
    return ~allowed[word] & (rest >= Long.SIZE ? -1L : (1L << rest) - 1);
  }
}
