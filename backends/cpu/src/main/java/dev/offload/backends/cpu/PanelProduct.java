package dev.offload.backends.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Small row-major F32 matrix products in cache: {@code c += a · b}. Every number of {@code c} is
 * summed over the depth in ascending order, whatever the tile it falls into, so results do not
 * depend on how many rows are multiplied together.
 *
 * <p>Where there are 32 vector registers, tiles of six rows by four vectors keep their 24 sums in
 * them and need ten loads for 24 multiply-adds; where there are 16, tiles are four by two. All
 * vectors are locals of one method: one that crosses a call which is not merged into the caller
 * becomes an object.
 */
final class PanelProduct {
  /** Vectors of {@code b} that a full tile multiplies. */
  static final int STRIP_VECTORS = 4;

  private static final VectorSpecies<Float> F = Lanes.FLOATS;

  /** Numbers per vector. */
  private static final int N = Lanes.COUNT;

  /** Whether there are 32 vector registers. */
  private static final boolean MANY_REGISTERS =
      N == 16 || System.getProperty("os.arch").equals("aarch64");

  private PanelProduct() {}

  /**
   * Multiplies.
   *
   * @param a [rows, depth] from {@code aIndex} on, rows {@code aStride} apart
   * @param b [depth, vectors] vectors from {@code bIndex} on, neighbours of a row {@code bApart}
   *     numbers apart, rows {@code bStride}
   * @param c [rows, vectors] vectors from {@code cIndex} on, rows {@code cStride} apart
   */
  static void multiply(
      float[] a,
      int aIndex,
      int aStride,
      float[] b,
      int bIndex,
      int bApart,
      int bStride,
      float[] c,
      int cIndex,
      int cStride,
      int rows,
      int depth,
      int vectors) {
    int vector = 0;
    for (; vector + STRIP_VECTORS <= vectors; vector += STRIP_VECTORS) {
      int b0 = bIndex + vector * bApart;
      int c0 = cIndex + vector * N;
      int row =
          MANY_REGISTERS
              ? strip(a, aIndex, aStride, b, b0, bApart, bStride, c, c0, cStride, rows, depth)
              : halves(a, aIndex, aStride, b, b0, bApart, bStride, c, c0, cStride, rows, depth);
      for (; row < rows; row++) {
        oneByFour(a, aIndex + row * aStride, b, b0, bApart, bStride, c, c0 + row * cStride, depth);
      }
    }
    for (; vector < vectors; vector++) {
      int b0 = bIndex + vector * bApart;
      int c0 = cIndex + vector * N;
      int row = 0;
      for (; row + 6 <= rows; row += 6) {
        sixByOne(
            a,
            aIndex + row * aStride,
            aStride,
            b,
            b0,
            bStride,
            c,
            c0 + row * cStride,
            cStride,
            depth);
      }
      for (; row < rows; row++) {
        oneByOne(a, aIndex + row * aStride, b, b0, bStride, c, c0 + row * cStride, depth);
      }
    }
  }

  /** Groups of six and three rows times four vectors; returns how many rows that were. */
  private static int strip(
      float[] a,
      int aIndex,
      int aStride,
      float[] b,
      int b0,
      int bApart,
      int bStride,
      float[] c,
      int c0,
      int cStride,
      int rows,
      int depth) {
    int row = 0;
    for (; row + 6 <= rows; row += 6) {
      sixByFour(
          a,
          aIndex + row * aStride,
          aStride,
          b,
          b0,
          bApart,
          bStride,
          c,
          c0 + row * cStride,
          cStride,
          depth);
    }
    for (; row + 3 <= rows; row += 3) {
      threeByFour(
          a,
          aIndex + row * aStride,
          aStride,
          b,
          b0,
          bApart,
          bStride,
          c,
          c0 + row * cStride,
          cStride,
          depth);
    }
    return row;
  }

  /**
   * The same for 16 registers: four rows times two vectors, and what is left of rows times four.
   */
  private static int halves(
      float[] a,
      int aIndex,
      int aStride,
      float[] b,
      int b0,
      int bApart,
      int bStride,
      float[] c,
      int c0,
      int cStride,
      int rows,
      int depth) {
    int row = 0;
    for (; row + 4 <= rows; row += 4) {
      fourByTwo(
          a,
          aIndex + row * aStride,
          aStride,
          b,
          b0,
          bApart,
          bStride,
          c,
          c0 + row * cStride,
          cStride,
          depth);
      fourByTwo(
          a,
          aIndex + row * aStride,
          aStride,
          b,
          b0 + 2 * bApart,
          bApart,
          bStride,
          c,
          c0 + 2 * N + row * cStride,
          cStride,
          depth);
    }
    if (rows - row == 3) {
      threeByFour(
          a,
          aIndex + row * aStride,
          aStride,
          b,
          b0,
          bApart,
          bStride,
          c,
          c0 + row * cStride,
          cStride,
          depth);
      return rows;
    }
    if (row + 2 <= rows) {
      twoByFour(
          a,
          aIndex + row * aStride,
          aStride,
          b,
          b0,
          bApart,
          bStride,
          c,
          c0 + row * cStride,
          cStride,
          depth);
      row += 2;
    }
    return row;
  }

  private static void sixByFour(
      float[] a,
      int a0,
      int aStride,
      float[] b,
      int b0,
      int bApart,
      int bStride,
      float[] c,
      int c0,
      int cStride,
      int depth) {
    int a1 = a0 + aStride;
    int a2 = a1 + aStride;
    int a3 = a2 + aStride;
    int a4 = a3 + aStride;
    int a5 = a4 + aStride;
    int c1 = c0 + cStride;
    int c2 = c1 + cStride;
    int c3 = c2 + cStride;
    int c4 = c3 + cStride;
    int c5 = c4 + cStride;
    int b1 = b0 + bApart;
    int b2 = b1 + bApart;
    int b3 = b2 + bApart;
    FloatVector s00 = FloatVector.fromArray(F, c, c0);
    FloatVector s01 = FloatVector.fromArray(F, c, c0 + N);
    FloatVector s02 = FloatVector.fromArray(F, c, c0 + 2 * N);
    FloatVector s03 = FloatVector.fromArray(F, c, c0 + 3 * N);
    FloatVector s10 = FloatVector.fromArray(F, c, c1);
    FloatVector s11 = FloatVector.fromArray(F, c, c1 + N);
    FloatVector s12 = FloatVector.fromArray(F, c, c1 + 2 * N);
    FloatVector s13 = FloatVector.fromArray(F, c, c1 + 3 * N);
    FloatVector s20 = FloatVector.fromArray(F, c, c2);
    FloatVector s21 = FloatVector.fromArray(F, c, c2 + N);
    FloatVector s22 = FloatVector.fromArray(F, c, c2 + 2 * N);
    FloatVector s23 = FloatVector.fromArray(F, c, c2 + 3 * N);
    FloatVector s30 = FloatVector.fromArray(F, c, c3);
    FloatVector s31 = FloatVector.fromArray(F, c, c3 + N);
    FloatVector s32 = FloatVector.fromArray(F, c, c3 + 2 * N);
    FloatVector s33 = FloatVector.fromArray(F, c, c3 + 3 * N);
    FloatVector s40 = FloatVector.fromArray(F, c, c4);
    FloatVector s41 = FloatVector.fromArray(F, c, c4 + N);
    FloatVector s42 = FloatVector.fromArray(F, c, c4 + 2 * N);
    FloatVector s43 = FloatVector.fromArray(F, c, c4 + 3 * N);
    FloatVector s50 = FloatVector.fromArray(F, c, c5);
    FloatVector s51 = FloatVector.fromArray(F, c, c5 + N);
    FloatVector s52 = FloatVector.fromArray(F, c, c5 + 2 * N);
    FloatVector s53 = FloatVector.fromArray(F, c, c5 + 3 * N);
    for (int k = 0; k < depth; k++) {
      FloatVector v0 = FloatVector.fromArray(F, b, b0 + k * bStride);
      FloatVector v1 = FloatVector.fromArray(F, b, b1 + k * bStride);
      FloatVector v2 = FloatVector.fromArray(F, b, b2 + k * bStride);
      FloatVector v3 = FloatVector.fromArray(F, b, b3 + k * bStride);
      FloatVector factor = FloatVector.broadcast(F, a[a0 + k]);
      s00 = factor.fma(v0, s00);
      s01 = factor.fma(v1, s01);
      s02 = factor.fma(v2, s02);
      s03 = factor.fma(v3, s03);
      factor = FloatVector.broadcast(F, a[a1 + k]);
      s10 = factor.fma(v0, s10);
      s11 = factor.fma(v1, s11);
      s12 = factor.fma(v2, s12);
      s13 = factor.fma(v3, s13);
      factor = FloatVector.broadcast(F, a[a2 + k]);
      s20 = factor.fma(v0, s20);
      s21 = factor.fma(v1, s21);
      s22 = factor.fma(v2, s22);
      s23 = factor.fma(v3, s23);
      factor = FloatVector.broadcast(F, a[a3 + k]);
      s30 = factor.fma(v0, s30);
      s31 = factor.fma(v1, s31);
      s32 = factor.fma(v2, s32);
      s33 = factor.fma(v3, s33);
      factor = FloatVector.broadcast(F, a[a4 + k]);
      s40 = factor.fma(v0, s40);
      s41 = factor.fma(v1, s41);
      s42 = factor.fma(v2, s42);
      s43 = factor.fma(v3, s43);
      factor = FloatVector.broadcast(F, a[a5 + k]);
      s50 = factor.fma(v0, s50);
      s51 = factor.fma(v1, s51);
      s52 = factor.fma(v2, s52);
      s53 = factor.fma(v3, s53);
    }
    s00.intoArray(c, c0);
    s01.intoArray(c, c0 + N);
    s02.intoArray(c, c0 + 2 * N);
    s03.intoArray(c, c0 + 3 * N);
    s10.intoArray(c, c1);
    s11.intoArray(c, c1 + N);
    s12.intoArray(c, c1 + 2 * N);
    s13.intoArray(c, c1 + 3 * N);
    s20.intoArray(c, c2);
    s21.intoArray(c, c2 + N);
    s22.intoArray(c, c2 + 2 * N);
    s23.intoArray(c, c2 + 3 * N);
    s30.intoArray(c, c3);
    s31.intoArray(c, c3 + N);
    s32.intoArray(c, c3 + 2 * N);
    s33.intoArray(c, c3 + 3 * N);
    s40.intoArray(c, c4);
    s41.intoArray(c, c4 + N);
    s42.intoArray(c, c4 + 2 * N);
    s43.intoArray(c, c4 + 3 * N);
    s50.intoArray(c, c5);
    s51.intoArray(c, c5 + N);
    s52.intoArray(c, c5 + 2 * N);
    s53.intoArray(c, c5 + 3 * N);
  }

  private static void threeByFour(
      float[] a,
      int a0,
      int aStride,
      float[] b,
      int b0,
      int bApart,
      int bStride,
      float[] c,
      int c0,
      int cStride,
      int depth) {
    int a1 = a0 + aStride;
    int a2 = a1 + aStride;
    int c1 = c0 + cStride;
    int c2 = c1 + cStride;
    int b1 = b0 + bApart;
    int b2 = b1 + bApart;
    int b3 = b2 + bApart;
    FloatVector s00 = FloatVector.fromArray(F, c, c0);
    FloatVector s01 = FloatVector.fromArray(F, c, c0 + N);
    FloatVector s02 = FloatVector.fromArray(F, c, c0 + 2 * N);
    FloatVector s03 = FloatVector.fromArray(F, c, c0 + 3 * N);
    FloatVector s10 = FloatVector.fromArray(F, c, c1);
    FloatVector s11 = FloatVector.fromArray(F, c, c1 + N);
    FloatVector s12 = FloatVector.fromArray(F, c, c1 + 2 * N);
    FloatVector s13 = FloatVector.fromArray(F, c, c1 + 3 * N);
    FloatVector s20 = FloatVector.fromArray(F, c, c2);
    FloatVector s21 = FloatVector.fromArray(F, c, c2 + N);
    FloatVector s22 = FloatVector.fromArray(F, c, c2 + 2 * N);
    FloatVector s23 = FloatVector.fromArray(F, c, c2 + 3 * N);
    for (int k = 0; k < depth; k++) {
      FloatVector v0 = FloatVector.fromArray(F, b, b0 + k * bStride);
      FloatVector v1 = FloatVector.fromArray(F, b, b1 + k * bStride);
      FloatVector v2 = FloatVector.fromArray(F, b, b2 + k * bStride);
      FloatVector v3 = FloatVector.fromArray(F, b, b3 + k * bStride);
      FloatVector factor = FloatVector.broadcast(F, a[a0 + k]);
      s00 = factor.fma(v0, s00);
      s01 = factor.fma(v1, s01);
      s02 = factor.fma(v2, s02);
      s03 = factor.fma(v3, s03);
      factor = FloatVector.broadcast(F, a[a1 + k]);
      s10 = factor.fma(v0, s10);
      s11 = factor.fma(v1, s11);
      s12 = factor.fma(v2, s12);
      s13 = factor.fma(v3, s13);
      factor = FloatVector.broadcast(F, a[a2 + k]);
      s20 = factor.fma(v0, s20);
      s21 = factor.fma(v1, s21);
      s22 = factor.fma(v2, s22);
      s23 = factor.fma(v3, s23);
    }
    s00.intoArray(c, c0);
    s01.intoArray(c, c0 + N);
    s02.intoArray(c, c0 + 2 * N);
    s03.intoArray(c, c0 + 3 * N);
    s10.intoArray(c, c1);
    s11.intoArray(c, c1 + N);
    s12.intoArray(c, c1 + 2 * N);
    s13.intoArray(c, c1 + 3 * N);
    s20.intoArray(c, c2);
    s21.intoArray(c, c2 + N);
    s22.intoArray(c, c2 + 2 * N);
    s23.intoArray(c, c2 + 3 * N);
  }

  private static void fourByTwo(
      float[] a,
      int a0,
      int aStride,
      float[] b,
      int b0,
      int bApart,
      int bStride,
      float[] c,
      int c0,
      int cStride,
      int depth) {
    int a1 = a0 + aStride;
    int a2 = a1 + aStride;
    int a3 = a2 + aStride;
    int c1 = c0 + cStride;
    int c2 = c1 + cStride;
    int c3 = c2 + cStride;
    int b1 = b0 + bApart;
    FloatVector s00 = FloatVector.fromArray(F, c, c0);
    FloatVector s01 = FloatVector.fromArray(F, c, c0 + N);
    FloatVector s10 = FloatVector.fromArray(F, c, c1);
    FloatVector s11 = FloatVector.fromArray(F, c, c1 + N);
    FloatVector s20 = FloatVector.fromArray(F, c, c2);
    FloatVector s21 = FloatVector.fromArray(F, c, c2 + N);
    FloatVector s30 = FloatVector.fromArray(F, c, c3);
    FloatVector s31 = FloatVector.fromArray(F, c, c3 + N);
    for (int k = 0; k < depth; k++) {
      FloatVector v0 = FloatVector.fromArray(F, b, b0 + k * bStride);
      FloatVector v1 = FloatVector.fromArray(F, b, b1 + k * bStride);
      FloatVector factor = FloatVector.broadcast(F, a[a0 + k]);
      s00 = factor.fma(v0, s00);
      s01 = factor.fma(v1, s01);
      factor = FloatVector.broadcast(F, a[a1 + k]);
      s10 = factor.fma(v0, s10);
      s11 = factor.fma(v1, s11);
      factor = FloatVector.broadcast(F, a[a2 + k]);
      s20 = factor.fma(v0, s20);
      s21 = factor.fma(v1, s21);
      factor = FloatVector.broadcast(F, a[a3 + k]);
      s30 = factor.fma(v0, s30);
      s31 = factor.fma(v1, s31);
    }
    s00.intoArray(c, c0);
    s01.intoArray(c, c0 + N);
    s10.intoArray(c, c1);
    s11.intoArray(c, c1 + N);
    s20.intoArray(c, c2);
    s21.intoArray(c, c2 + N);
    s30.intoArray(c, c3);
    s31.intoArray(c, c3 + N);
  }

  private static void twoByFour(
      float[] a,
      int a0,
      int aStride,
      float[] b,
      int b0,
      int bApart,
      int bStride,
      float[] c,
      int c0,
      int cStride,
      int depth) {
    int a1 = a0 + aStride;
    int c1 = c0 + cStride;
    int b1 = b0 + bApart;
    int b2 = b1 + bApart;
    int b3 = b2 + bApart;
    FloatVector s00 = FloatVector.fromArray(F, c, c0);
    FloatVector s01 = FloatVector.fromArray(F, c, c0 + N);
    FloatVector s02 = FloatVector.fromArray(F, c, c0 + 2 * N);
    FloatVector s03 = FloatVector.fromArray(F, c, c0 + 3 * N);
    FloatVector s10 = FloatVector.fromArray(F, c, c1);
    FloatVector s11 = FloatVector.fromArray(F, c, c1 + N);
    FloatVector s12 = FloatVector.fromArray(F, c, c1 + 2 * N);
    FloatVector s13 = FloatVector.fromArray(F, c, c1 + 3 * N);
    for (int k = 0; k < depth; k++) {
      FloatVector v0 = FloatVector.fromArray(F, b, b0 + k * bStride);
      FloatVector v1 = FloatVector.fromArray(F, b, b1 + k * bStride);
      FloatVector v2 = FloatVector.fromArray(F, b, b2 + k * bStride);
      FloatVector v3 = FloatVector.fromArray(F, b, b3 + k * bStride);
      FloatVector factor = FloatVector.broadcast(F, a[a0 + k]);
      s00 = factor.fma(v0, s00);
      s01 = factor.fma(v1, s01);
      s02 = factor.fma(v2, s02);
      s03 = factor.fma(v3, s03);
      factor = FloatVector.broadcast(F, a[a1 + k]);
      s10 = factor.fma(v0, s10);
      s11 = factor.fma(v1, s11);
      s12 = factor.fma(v2, s12);
      s13 = factor.fma(v3, s13);
    }
    s00.intoArray(c, c0);
    s01.intoArray(c, c0 + N);
    s02.intoArray(c, c0 + 2 * N);
    s03.intoArray(c, c0 + 3 * N);
    s10.intoArray(c, c1);
    s11.intoArray(c, c1 + N);
    s12.intoArray(c, c1 + 2 * N);
    s13.intoArray(c, c1 + 3 * N);
  }

  private static void oneByFour(
      float[] a, int a0, float[] b, int b0, int bApart, int bStride, float[] c, int c0, int depth) {
    int b1 = b0 + bApart;
    int b2 = b1 + bApart;
    int b3 = b2 + bApart;
    FloatVector s00 = FloatVector.fromArray(F, c, c0);
    FloatVector s01 = FloatVector.fromArray(F, c, c0 + N);
    FloatVector s02 = FloatVector.fromArray(F, c, c0 + 2 * N);
    FloatVector s03 = FloatVector.fromArray(F, c, c0 + 3 * N);
    for (int k = 0; k < depth; k++) {
      FloatVector v0 = FloatVector.fromArray(F, b, b0 + k * bStride);
      FloatVector v1 = FloatVector.fromArray(F, b, b1 + k * bStride);
      FloatVector v2 = FloatVector.fromArray(F, b, b2 + k * bStride);
      FloatVector v3 = FloatVector.fromArray(F, b, b3 + k * bStride);
      FloatVector factor = FloatVector.broadcast(F, a[a0 + k]);
      s00 = factor.fma(v0, s00);
      s01 = factor.fma(v1, s01);
      s02 = factor.fma(v2, s02);
      s03 = factor.fma(v3, s03);
    }
    s00.intoArray(c, c0);
    s01.intoArray(c, c0 + N);
    s02.intoArray(c, c0 + 2 * N);
    s03.intoArray(c, c0 + 3 * N);
  }

  private static void sixByOne(
      float[] a,
      int a0,
      int aStride,
      float[] b,
      int b0,
      int bStride,
      float[] c,
      int c0,
      int cStride,
      int depth) {
    int a1 = a0 + aStride;
    int a2 = a1 + aStride;
    int a3 = a2 + aStride;
    int a4 = a3 + aStride;
    int a5 = a4 + aStride;
    int c1 = c0 + cStride;
    int c2 = c1 + cStride;
    int c3 = c2 + cStride;
    int c4 = c3 + cStride;
    int c5 = c4 + cStride;
    FloatVector s00 = FloatVector.fromArray(F, c, c0);
    FloatVector s10 = FloatVector.fromArray(F, c, c1);
    FloatVector s20 = FloatVector.fromArray(F, c, c2);
    FloatVector s30 = FloatVector.fromArray(F, c, c3);
    FloatVector s40 = FloatVector.fromArray(F, c, c4);
    FloatVector s50 = FloatVector.fromArray(F, c, c5);
    for (int k = 0; k < depth; k++) {
      FloatVector v0 = FloatVector.fromArray(F, b, b0 + k * bStride);
      FloatVector factor = FloatVector.broadcast(F, a[a0 + k]);
      s00 = factor.fma(v0, s00);
      factor = FloatVector.broadcast(F, a[a1 + k]);
      s10 = factor.fma(v0, s10);
      factor = FloatVector.broadcast(F, a[a2 + k]);
      s20 = factor.fma(v0, s20);
      factor = FloatVector.broadcast(F, a[a3 + k]);
      s30 = factor.fma(v0, s30);
      factor = FloatVector.broadcast(F, a[a4 + k]);
      s40 = factor.fma(v0, s40);
      factor = FloatVector.broadcast(F, a[a5 + k]);
      s50 = factor.fma(v0, s50);
    }
    s00.intoArray(c, c0);
    s10.intoArray(c, c1);
    s20.intoArray(c, c2);
    s30.intoArray(c, c3);
    s40.intoArray(c, c4);
    s50.intoArray(c, c5);
  }

  private static void oneByOne(
      float[] a, int a0, float[] b, int b0, int bStride, float[] c, int c0, int depth) {
    FloatVector s00 = FloatVector.fromArray(F, c, c0);
    for (int k = 0; k < depth; k++) {
      FloatVector v0 = FloatVector.fromArray(F, b, b0 + k * bStride);
      FloatVector factor = FloatVector.broadcast(F, a[a0 + k]);
      s00 = factor.fma(v0, s00);
    }
    s00.intoArray(c, c0);
  }
}
