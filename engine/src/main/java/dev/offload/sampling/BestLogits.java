package dev.offload.sampling;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import dev.offload.backends.api.LargestNumbers;
import java.lang.foreign.MemorySegment;

/**
 * The largest logits of a row, by falling logit, lower ids first among equals. A view: whoever owns
 * the memory must keep it alive.
 */
public final class BestLogits implements RowLogits {
  private final MemorySegment values;
  private final MemorySegment tokens;
  private final int size;
  private final double sum;

  /**
   * @param values float32 {@code [k]}; NaN comes first
   * @param tokens int32 {@code [k]}, their ids
   * @param sum {@code Σ exp(x − the largest)} over the whole row; not read if no log-probabilities
   *     are asked for
   */
  public BestLogits(MemorySegment values, MemorySegment tokens, double sum) {
    this.values = values;
    this.tokens = tokens;
    this.size = (int) (values.byteSize() / Float.BYTES);
    this.sum = sum;
  }

  int size() {
    return size;
  }

  float logit(int rank) {
    return values.getAtIndex(JAVA_FLOAT_UNALIGNED, rank);
  }

  int token(int rank) {
    return tokens.getAtIndex(JAVA_INT_UNALIGNED, rank);
  }

  /**
   * @throws LogitsException if the row holds NaN or +infinity, or nothing but −infinity
   */
  void check() {
    float largest = logit(0);
    if (Float.isNaN(largest)) {
      throw new LogitsException("the logits hold NaN at token " + token(0));
    }
    if (largest == Float.NEGATIVE_INFINITY) {
      throw new LogitsException("no token is possible: all logits are -infinity");
    }
    if (largest == Float.POSITIVE_INFINITY) {
      throw new LogitsException("the logits hold infinity at token " + token(0));
    }
  }

  /** The first {@code count} of them, sorted. */
  LargestNumbers likeliest(int count) {
    LargestNumbers likeliest = new LargestNumbers(count);
    for (int rank = 0; rank < count; rank++) {
      likeliest.add(logit(rank), token(rank));
    }
    likeliest.sort();
    return likeliest;
  }

  /** {@code log(sum(exp(x)))} over the whole row. */
  double logSumExp() {
    return logit(0) + Math.log(sum);
  }
}
