package dev.offload.backends.cpu;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * The running softmax of some query vectors (Milakov and Gimelshein, arXiv 1805.02867): largest
 * score, sum of powers, and sum of values weighted by the powers, all relative to the largest
 * score. Sums of powers are kept lane by lane until the end.
 */
final class AttentionState {
  private final float[] largest;
  private final float[] sums;
  private final float[] values;
  private final int stride;
  private final float[] lanes = new float[Lanes.COUNT];

  AttentionState(int queries, int valueStride) {
    largest = new float[queries];
    sums = new float[queries * Lanes.COUNT];
    values = new float[queries * valueStride];
    stride = valueStride;
  }

  /** Numbers of the arrays of one. */
  static long numbers(int queries, int valueStride) {
    return (long) queries * (1 + Lanes.COUNT + valueStride) + Lanes.COUNT;
  }

  /** Nothing seen yet. */
  void clear(int queries) {
    Arrays.fill(largest, 0, queries, Float.NEGATIVE_INFINITY);
    Arrays.fill(sums, 0, queries * Lanes.COUNT, 0);
    Arrays.fill(values, 0, queries * stride, 0);
  }

  /** A score without a value. */
  void addSink(int query, float logit) {
    largest[query] = logit;
    sums[query * Lanes.COUNT] = 1;
  }

  /**
   * Makes scores relative to the largest so far, and what was summed before with them.
   *
   * @param scores {@code count} numbers from {@code at} on, a multiple of the vector length
   */
  void lower(int query, float[] scores, int at, int count) {
    float max = largest(scores, at, count);
    if (max > largest[query]) {
      if (largest[query] != Float.NEGATIVE_INFINITY) {
        rescale(query, factor(largest[query], max));
      }
      largest[query] = max;
    }
    float base = largest[query];
    for (int i = at; i < at + count; i += Lanes.COUNT) {
      FloatVector.fromArray(Lanes.FLOATS, scores, i).sub(base).intoArray(scores, i);
    }
  }

  private static float largest(float[] scores, int at, int count) {
    FloatVector maxima = FloatVector.fromArray(Lanes.FLOATS, scores, at);
    for (int i = at + Lanes.COUNT; i < at + count; i += Lanes.COUNT) {
      maxima = maxima.max(FloatVector.fromArray(Lanes.FLOATS, scores, i));
    }
    return maxima.reduceLanes(VectorOperators.MAX);
  }

  /** Adds the powers of lowered scores to their sum. */
  void addPowers(int query, float[] powers, int at, int count) {
    FloatVector sum = FloatVector.fromArray(Lanes.FLOATS, sums, query * Lanes.COUNT);
    for (int i = at; i < at + count; i += Lanes.COUNT) {
      sum = sum.add(FloatVector.fromArray(Lanes.FLOATS, powers, i));
    }
    sum.intoArray(sums, query * Lanes.COUNT);
  }

  /** Adds powers times values for the queries from {@code first} on. */
  void addValues(
      int first,
      int queries,
      float[] powers,
      int powersIndex,
      int powersStride,
      float[] panel,
      int panelIndex,
      int tokens) {
    PanelProduct.multiply(
        powers,
        powersIndex,
        powersStride,
        panel,
        panelIndex,
        Lanes.COUNT,
        stride,
        values,
        first * stride,
        stride,
        queries,
        tokens,
        stride / Lanes.COUNT);
  }

  /** Joins what another state has seen. */
  void merge(AttentionState other, int queries) {
    for (int q = 0; q < queries; q++) {
      if (other.largest[q] == Float.NEGATIVE_INFINITY) {
        continue;
      }
      float max = Math.max(largest[q], other.largest[q]);
      if (largest[q] == Float.NEGATIVE_INFINITY) {
        copy(other, q);
        continue;
      }
      if (largest[q] != max) {
        rescale(q, factor(largest[q], max));
      }
      float factor = factor(other.largest[q], max);
      addScaled(sums, other.sums, q * Lanes.COUNT, Lanes.COUNT, factor);
      addScaled(values, other.values, q * stride, stride, factor);
      largest[q] = max;
    }
  }

  private void copy(AttentionState other, int q) {
    System.arraycopy(other.sums, q * Lanes.COUNT, sums, q * Lanes.COUNT, Lanes.COUNT);
    System.arraycopy(other.values, q * stride, values, q * stride, stride);
    largest[q] = other.largest[q];
  }

  /** Writes the weighted mean of the values; fills up to a whole vector behind it. */
  void result(int query, float[] out, int at) {
    System.arraycopy(sums, query * Lanes.COUNT, lanes, 0, Lanes.COUNT);
    float sum = Lanes.sum(lanes, 0);
    for (int i = 0; i < stride; i += Lanes.COUNT) {
      FloatVector.fromArray(Lanes.FLOATS, values, query * stride + i)
          .div(sum)
          .intoArray(out, at + i);
    }
  }

  private float factor(float from, float to) {
    lanes[0] = from - to;
    VectorMath.exp(lanes, 0, Lanes.COUNT);
    return lanes[0];
  }

  private void rescale(int query, float factor) {
    scale(sums, query * Lanes.COUNT, Lanes.COUNT, factor);
    scale(values, query * stride, stride, factor);
  }

  private static void scale(float[] x, int at, int count, float factor) {
    for (int i = at; i < at + count; i += Lanes.COUNT) {
      FloatVector.fromArray(Lanes.FLOATS, x, i).mul(factor).intoArray(x, i);
    }
  }

  private static void addScaled(float[] sum, float[] x, int at, int count, float factor) {
    for (int i = at; i < at + count; i += Lanes.COUNT) {
      FloatVector.fromArray(Lanes.FLOATS, x, i)
          .fma(
              FloatVector.broadcast(Lanes.FLOATS, factor),
              FloatVector.fromArray(Lanes.FLOATS, sum, i))
          .intoArray(sum, i);
    }
  }
}
