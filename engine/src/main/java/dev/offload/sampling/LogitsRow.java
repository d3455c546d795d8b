package dev.offload.sampling;

import dev.offload.backends.api.LargestNumbers;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * One row of float32 logits, {@code [vocabulary]}, and the passes over it. A view: whoever owns the
 * memory must keep it alive.
 *
 * <p>The passes go block by block ({@value #BLOCK} values): a block's result is kept, and only the
 * block that matters is looked at value by value. Sums are formed per block and then in double.
 */
final class LogitsRow {
  /** Values per block: a multiple of four of the widest vectors. */
  static final int BLOCK = 1024;

  private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Double> DOUBLES = DoubleVector.SPECIES_PREFERRED;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private final MemorySegment values;
  private final int size;

  LogitsRow(MemorySegment values, int size) {
    if (values.byteSize() < (long) size * Float.BYTES) {
      throw new IllegalArgumentException(
          "a row of %d logits needs %d bytes, the segment has %d"
              .formatted(size, (long) size * Float.BYTES, values.byteSize()));
    }
    this.values = values;
    this.size = size;
  }

  int size() {
    return size;
  }

  float get(int token) {
    return values.get(ValueLayout.JAVA_FLOAT_UNALIGNED, (long) token * Float.BYTES);
  }

  void set(int token, float value) {
    values.set(ValueLayout.JAVA_FLOAT_UNALIGNED, (long) token * Float.BYTES, value);
  }

  int blocks() {
    return (size + BLOCK - 1) / BLOCK;
  }

  /**
   * The token with the largest logit, the lowest of equals.
   *
   * @throws LogitsException if the row holds NaN or +infinity, or nothing but −infinity
   */
  int argmax() {
    float best = Float.NEGATIVE_INFINITY;
    int bestBlock = -1;
    for (int block = 0; block < blocks(); block++) {
      float most = maximumOfBlock(block);
      if (!(most <= best)) {
        if (Float.isNaN(most)) {
          throw new LogitsException("the logits hold NaN at token " + firstNan(block));
        }
        best = most;
        bestBlock = block;
      }
    }
    if (bestBlock < 0) {
      throw new LogitsException("no token is possible: all logits are -infinity");
    }
    int token = firstEqual(bestBlock, best);
    if (best == Float.POSITIVE_INFINITY) {
      throw new LogitsException("the logits hold infinity at token " + token);
    }
    return token;
  }

  /** The largest value of a block, NaN if it holds one. */
  private float maximumOfBlock(int block) {
    int from = block * BLOCK;
    if (from + BLOCK > size) {
      return maximumOfTail(from);
    }
    FloatVector a = load(from);
    FloatVector b = a;
    FloatVector c = a;
    FloatVector d = a;
    VectorMask<Float> nan = FLOATS.maskAll(false);
    int lanes = FLOATS.length();
    // Four chains: compare and blend have a latency of five cycles on current cores.
    for (int i = from; i < from + BLOCK; i += 4 * lanes) {
      FloatVector v = load(i);
      FloatVector w = load(i + lanes);
      FloatVector x = load(i + 2 * lanes);
      FloatVector y = load(i + 3 * lanes);
      nan = nan.or(isNan(v)).or(isNan(w)).or(isNan(x)).or(isNan(y));
      a = a.blend(v, v.compare(VectorOperators.GT, a));
      b = b.blend(w, w.compare(VectorOperators.GT, b));
      c = c.blend(x, x.compare(VectorOperators.GT, c));
      d = d.blend(y, y.compare(VectorOperators.GT, d));
    }
    return nan.anyTrue() ? Float.NaN : a.max(b).max(c.max(d)).reduceLanes(VectorOperators.MAX);
  }

  private float maximumOfTail(int from) {
    float most = Float.NEGATIVE_INFINITY;
    for (int token = from; token < size; token++) {
      most = Math.max(most, get(token));
    }
    return most;
  }

  private static VectorMask<Float> isNan(FloatVector v) {
    return v.compare(VectorOperators.NE, v);
  }

  private int firstNan(int block) {
    int token = block * BLOCK;
    while (!Float.isNaN(get(token))) {
      token++;
    }
    return token;
  }

  private int firstEqual(int block, float value) {
    int token = block * BLOCK;
    while (get(token) != value) {
      token++;
    }
    return token;
  }

  /**
   * Sums {@code exp((x - max) * scale)} over each block.
   *
   * @param max the largest logit, so that no term exceeds 1
   * @return {@code [blocks()]}
   */
  double[] blockSums(float max, float scale) {
    double[] sums = new double[blocks()];
    for (int block = 0; block < sums.length; block++) {
      sums[block] = blockSum(block, max, scale);
    }
    return sums;
  }

  private double blockSum(int block, float max, float scale) {
    int from = block * BLOCK;
    int to = Math.min(from + BLOCK, size);
    int vectorEnd = from + FLOATS.loopBound(to - from);
    FloatVector sum = FloatVector.zero(FLOATS);
    for (int i = from; i < vectorEnd; i += FLOATS.length()) {
      sum = sum.add(load(i).sub(max).mul(scale).lanewise(VectorOperators.EXP));
    }
    double total = sumInOrder(sum);
    for (int token = vectorEnd; token < to; token++) {
      total += Math.exp((double) (get(token) - max) * scale);
    }
    return total;
  }

  /** The token of a block before which {@code share} (in [0, 1)) of the block's weight lies. */
  int tokenAt(int block, double share, float max, float scale) {
    int from = block * BLOCK;
    int to = Math.min(from + BLOCK, size);
    double[] weights = new double[to - from];
    double sum = 0;
    for (int token = from; token < to; token++) {
      weights[token - from] = Math.exp((double) (get(token) - max) * scale);
      sum += weights[token - from];
    }
    double target = share * sum;
    int last = 0;
    for (int i = 0; i < weights.length; i++) {
      if (weights[i] > 0) {
        if (target < weights[i]) {
          return from + i;
        }
        target -= weights[i];
        last = i;
      }
    }
    return from + last;
  }

  /** {@code log(sum(exp(x)))} in double. */
  double logSumExp(float max) {
    DoubleVector low = DoubleVector.zero(DOUBLES);
    DoubleVector high = low;
    int vectorEnd = FLOATS.loopBound(size);
    for (int i = 0; i < vectorEnd; i += FLOATS.length()) {
      FloatVector v = load(i);
      low = low.add(part(v, 0).sub(max).lanewise(VectorOperators.EXP));
      high = high.add(part(v, 1).sub(max).lanewise(VectorOperators.EXP));
    }
    double total = sumInOrder(low.add(high));
    for (int token = vectorEnd; token < size; token++) {
      total += Math.exp((double) get(token) - max);
    }
    return max + Math.log(total);
  }

  private static DoubleVector part(FloatVector v, int part) {
    return (DoubleVector) v.convertShape(VectorOperators.F2D, DOUBLES, part);
  }

  /**
   * Hands every token whose logit is at least {@code least} to {@code candidates}, in order of id.
   */
  void collectAtLeast(float least, LargestNumbers candidates) {
    int vectorEnd = FLOATS.loopBound(size);
    for (int i = 0; i < vectorEnd; i += FLOATS.length()) {
      long hits = load(i).compare(VectorOperators.GE, least).toLong();
      for (; hits != 0; hits &= hits - 1) {
        int token = i + Long.numberOfTrailingZeros(hits);
        candidates.add(get(token), token);
      }
    }
    for (int token = vectorEnd; token < size; token++) {
      if (get(token) >= least) {
        candidates.add(get(token), token);
      }
    }
  }

  /** The {@code count} tokens with the largest logits (lower ids first among equals). */
  LargestNumbers largest(int count) {
    LargestNumbers best = new LargestNumbers(count);
    int first = Math.min(count, size);
    for (int token = 0; token < first; token++) {
      best.add(get(token), token);
    }
    best.heapify();
    int vectorEnd = first + FLOATS.loopBound(size - first);
    for (int i = first; i < vectorEnd; i += FLOATS.length()) {
      long hits = load(i).compare(VectorOperators.GT, best.least()).toLong();
      for (; hits != 0; hits &= hits - 1) {
        int token = i + Long.numberOfTrailingZeros(hits);
        best.offer(get(token), token);
      }
    }
    for (int token = vectorEnd; token < size; token++) {
      best.offer(get(token), token);
    }
    return best;
  }

  private FloatVector load(int token) {
    return FloatVector.fromMemorySegment(FLOATS, values, (long) token * Float.BYTES, ORDER);
  }

  /** reduceLanes(ADD) adds in another order once it is compiled; results may not depend on that. */
  private static double sumInOrder(FloatVector vector) {
    double sum = 0;
    for (int lane = 0; lane < vector.length(); lane++) {
      sum += vector.lane(lane);
    }
    return sum;
  }

  private static double sumInOrder(DoubleVector vector) {
    double sum = 0;
    for (int lane = 0; lane < vector.length(); lane++) {
      sum += vector.lane(lane);
    }
    return sum;
  }
}
