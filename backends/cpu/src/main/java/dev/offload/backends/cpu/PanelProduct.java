package dev.offload.backends.cpu;

import jdk.incubator.vector.FloatVector;

/**
 * Small row-major F32 matrix products in cache: {@code c += a · b} or {@code c = a · b}. Every
 * number of {@code c} is summed over the depth in ascending order, whatever the tile it falls into,
 * so results do not depend on how many rows are multiplied together.
 */
final class PanelProduct {
  private PanelProduct() {}

  /**
   * Multiplies.
   *
   * @param a [rows, depth] from {@code aIndex} on, rows {@code aStride} apart
   * @param b [depth, columns] from {@code bIndex} on, rows {@code bStride} apart
   * @param c [rows, columns] from {@code cIndex} on, rows {@code cStride} apart
   * @param columns a multiple of the vector length
   */
  static void multiply(
      float[] a,
      int aIndex,
      int aStride,
      float[] b,
      int bIndex,
      int bStride,
      float[] c,
      int cIndex,
      int cStride,
      int rows,
      int depth,
      int columns,
      boolean accumulate) {
    int column = 0;
    // Two vectors of b by four rows: eight sums hide the latency of the multiply-add (4 cycles, two
    // a cycle), and every number of a and b that is loaded is used more than once.
    for (; column + 2 * Lanes.COUNT <= columns; column += 2 * Lanes.COUNT) {
      int row = 0;
      for (; row + 4 <= rows; row += 4) {
        fourByTwo(
            a,
            aIndex + row * aStride,
            aStride,
            b,
            bIndex + column,
            bStride,
            c,
            cIndex + row * cStride + column,
            cStride,
            depth,
            accumulate);
      }
      for (; row < rows; row++) {
        oneByTwo(
            a,
            aIndex + row * aStride,
            b,
            bIndex + column,
            bStride,
            c,
            cIndex + row * cStride + column,
            depth,
            accumulate);
      }
    }
    if (column < columns) {
      for (int row = 0; row < rows; row++) {
        oneByOne(
            a,
            aIndex + row * aStride,
            b,
            bIndex + column,
            bStride,
            c,
            cIndex + row * cStride + column,
            depth,
            accumulate);
      }
    }
  }

  private static void fourByTwo(
      float[] a,
      int a0,
      int aStride,
      float[] b,
      int b0,
      int bStride,
      float[] c,
      int c0,
      int cStride,
      int depth,
      boolean accumulate) {
    int a1 = a0 + aStride;
    int a2 = a1 + aStride;
    int a3 = a2 + aStride;
    int c1 = c0 + cStride;
    int c2 = c1 + cStride;
    int c3 = c2 + cStride;
    FloatVector s00 = start(c, c0, accumulate);
    FloatVector s01 = start(c, c0 + Lanes.COUNT, accumulate);
    FloatVector s10 = start(c, c1, accumulate);
    FloatVector s11 = start(c, c1 + Lanes.COUNT, accumulate);
    FloatVector s20 = start(c, c2, accumulate);
    FloatVector s21 = start(c, c2 + Lanes.COUNT, accumulate);
    FloatVector s30 = start(c, c3, accumulate);
    FloatVector s31 = start(c, c3 + Lanes.COUNT, accumulate);
    for (int k = 0; k < depth; k++) {
      FloatVector left = FloatVector.fromArray(Lanes.FLOATS, b, b0 + k * bStride);
      FloatVector right = FloatVector.fromArray(Lanes.FLOATS, b, b0 + k * bStride + Lanes.COUNT);
      FloatVector factor = FloatVector.broadcast(Lanes.FLOATS, a[a0 + k]);
      s00 = factor.fma(left, s00);
      s01 = factor.fma(right, s01);
      factor = FloatVector.broadcast(Lanes.FLOATS, a[a1 + k]);
      s10 = factor.fma(left, s10);
      s11 = factor.fma(right, s11);
      factor = FloatVector.broadcast(Lanes.FLOATS, a[a2 + k]);
      s20 = factor.fma(left, s20);
      s21 = factor.fma(right, s21);
      factor = FloatVector.broadcast(Lanes.FLOATS, a[a3 + k]);
      s30 = factor.fma(left, s30);
      s31 = factor.fma(right, s31);
    }
    s00.intoArray(c, c0);
    s01.intoArray(c, c0 + Lanes.COUNT);
    s10.intoArray(c, c1);
    s11.intoArray(c, c1 + Lanes.COUNT);
    s20.intoArray(c, c2);
    s21.intoArray(c, c2 + Lanes.COUNT);
    s30.intoArray(c, c3);
    s31.intoArray(c, c3 + Lanes.COUNT);
  }

  private static void oneByTwo(
      float[] a,
      int a0,
      float[] b,
      int b0,
      int bStride,
      float[] c,
      int c0,
      int depth,
      boolean accumulate) {
    FloatVector s0 = start(c, c0, accumulate);
    FloatVector s1 = start(c, c0 + Lanes.COUNT, accumulate);
    for (int k = 0; k < depth; k++) {
      FloatVector factor = FloatVector.broadcast(Lanes.FLOATS, a[a0 + k]);
      int at = b0 + k * bStride;
      s0 = factor.fma(FloatVector.fromArray(Lanes.FLOATS, b, at), s0);
      s1 = factor.fma(FloatVector.fromArray(Lanes.FLOATS, b, at + Lanes.COUNT), s1);
    }
    s0.intoArray(c, c0);
    s1.intoArray(c, c0 + Lanes.COUNT);
  }

  private static void oneByOne(
      float[] a,
      int a0,
      float[] b,
      int b0,
      int bStride,
      float[] c,
      int c0,
      int depth,
      boolean accumulate) {
    FloatVector sum = start(c, c0, accumulate);
    for (int k = 0; k < depth; k++) {
      FloatVector factor = FloatVector.broadcast(Lanes.FLOATS, a[a0 + k]);
      sum = factor.fma(FloatVector.fromArray(Lanes.FLOATS, b, b0 + k * bStride), sum);
    }
    sum.intoArray(c, c0);
  }

  private static FloatVector start(float[] c, int at, boolean accumulate) {
    return accumulate ? FloatVector.fromArray(Lanes.FLOATS, c, at) : FloatVector.zero(Lanes.FLOATS);
  }
}
