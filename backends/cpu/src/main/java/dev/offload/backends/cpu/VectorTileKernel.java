package dev.offload.backends.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.offload.backends.api.MemoryBudget;
import dev.offload.tensors.DType;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * A product with one panel of weights in plain Java. Each number of the result is summed up in the
 * order of the inputs, by the same instructions whatever the number of rows.
 *
 * <p>A stretch of the panel is widened to F32 scratch that stays in the first-level cache, then
 * each group of {@value #ROWS} rows passes over it. So a weight is converted once, not once per
 * group of rows, and the inner loop is one fused multiply-add per two thirds of a load.
 */
final class VectorTileKernel implements TileKernel {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /** Inputs per stretch: 24 KiB of scratch. */
  private static final int STRETCH = 96;

  /** Rows at a time where there are 32 vector registers. */
  private static final int ROWS = 6;

  /** Rows at a time where there are 16 vector registers. */
  private static final int FEW_ROWS = 2;

  private static final boolean MANY_REGISTERS =
      Lanes.COUNT == 16 || System.getProperty("os.arch").equals("aarch64");

  private static final VectorSpecies<Float> F = Lanes.FLOATS;

  /** Numbers per vector. */
  private static final int N = Lanes.COUNT;

  /** Columns that one pass over a stretch computes. */
  private static final int STRIP = 4 * N;

  private final MemorySegment x;
  private final long xOffset;
  private final long strideBytes;
  private final int rows;
  private final int inputs;
  private final DType weights;
  private final Scratch.Pool scratches;

  /** Scratch for kernels. */
  static Scratch.Pool newScratches(MemoryBudget budget) {
    return new Scratch.Pool(budget, STRETCH * COLUMNS, TiledProduct.MAX_ROWS * COLUMNS);
  }

  VectorTileKernel(
      MemorySegment x,
      long xOffset,
      int stride,
      int rows,
      int inputs,
      DType weights,
      Scratch.Pool scratches) {
    this.x = x;
    this.xOffset = xOffset;
    this.strideBytes = (long) stride * Float.BYTES;
    this.rows = rows;
    this.inputs = inputs;
    this.weights = weights;
    this.scratches = scratches;
  }

  @Override
  public void multiply(
      MemorySegment panel,
      long panelOffset,
      MemorySegment out,
      long outOffset,
      int outStride,
      boolean accumulate) {
    Scratch scratch = scratches.acquire();
    Arrays.fill(scratch.sums, 0, rows * COLUMNS, 0);
    for (int first = 0; first < inputs; first += STRETCH) {
      int count = Math.min(STRETCH, inputs - first);
      WeightPanel.widen(panel, panelOffset, weights, inputs, first, count, scratch.weights);
      multiplyStretch(scratch, count, xOffset + (long) first * Float.BYTES);
    }
    for (int row = 0; row < rows; row++) {
      long offset = outOffset + (long) row * outStride * Float.BYTES;
      store(scratch.sums, row * COLUMNS, out, offset, accumulate);
    }
    scratches.release(scratch);
  }

  private void multiplyStretch(Scratch scratch, int count, long firstInput) {
    float[] stretch = scratch.weights;
    float[] sums = scratch.sums;
    for (int column = 0; column < COLUMNS; column += STRIP) {
      int row = 0;
      for (; MANY_REGISTERS && row + ROWS <= rows; row += ROWS) {
        multiplyRows(
            stretch,
            column,
            count,
            x,
            firstInput + row * strideBytes,
            strideBytes,
            sums,
            row * COLUMNS + column);
      }
      for (; row + FEW_ROWS <= rows; row += FEW_ROWS) {
        multiplyFewRows(
            stretch,
            column,
            count,
            x,
            firstInput + row * strideBytes,
            strideBytes,
            sums,
            row * COLUMNS + column);
      }
      if (row < rows) {
        multiplyRow(
            stretch,
            column,
            count,
            x,
            firstInput + row * strideBytes,
            sums,
            row * COLUMNS + column);
      }
    }
  }

  private static void multiplyRow(
      float[] weights, int column, int count, MemorySegment x, long x0, float[] sums, int at0) {
    FloatVector s00 = FloatVector.fromArray(F, sums, at0);
    FloatVector s01 = FloatVector.fromArray(F, sums, at0 + N);
    FloatVector s02 = FloatVector.fromArray(F, sums, at0 + 2 * N);
    FloatVector s03 = FloatVector.fromArray(F, sums, at0 + 3 * N);
    for (int i = 0; i < count; i++) {
      int w = i * COLUMNS + column;
      long k = (long) i * Float.BYTES;
      FloatVector w0 = FloatVector.fromArray(F, weights, w);
      FloatVector w1 = FloatVector.fromArray(F, weights, w + N);
      FloatVector w2 = FloatVector.fromArray(F, weights, w + 2 * N);
      FloatVector w3 = FloatVector.fromArray(F, weights, w + 3 * N);
      FloatVector value = FloatVector.broadcast(F, x.get(JAVA_FLOAT, x0 + k));
      s00 = w0.fma(value, s00);
      s01 = w1.fma(value, s01);
      s02 = w2.fma(value, s02);
      s03 = w3.fma(value, s03);
    }
    s00.intoArray(sums, at0);
    s01.intoArray(sums, at0 + N);
    s02.intoArray(sums, at0 + 2 * N);
    s03.intoArray(sums, at0 + 3 * N);
  }

  /** {@value #FEW_ROWS} rows: 8 sums, 4 vectors of weights, one of input: 13 registers. */
  private static void multiplyFewRows(
      float[] weights,
      int column,
      int count,
      MemorySegment x,
      long x0,
      long xStride,
      float[] sums,
      int at0) {
    long x1 = x0 + xStride;
    int at1 = at0 + COLUMNS;
    FloatVector s00 = FloatVector.fromArray(F, sums, at0);
    FloatVector s01 = FloatVector.fromArray(F, sums, at0 + N);
    FloatVector s02 = FloatVector.fromArray(F, sums, at0 + 2 * N);
    FloatVector s03 = FloatVector.fromArray(F, sums, at0 + 3 * N);
    FloatVector s10 = FloatVector.fromArray(F, sums, at1);
    FloatVector s11 = FloatVector.fromArray(F, sums, at1 + N);
    FloatVector s12 = FloatVector.fromArray(F, sums, at1 + 2 * N);
    FloatVector s13 = FloatVector.fromArray(F, sums, at1 + 3 * N);
    for (int i = 0; i < count; i++) {
      int w = i * COLUMNS + column;
      long k = (long) i * Float.BYTES;
      FloatVector w0 = FloatVector.fromArray(F, weights, w);
      FloatVector w1 = FloatVector.fromArray(F, weights, w + N);
      FloatVector w2 = FloatVector.fromArray(F, weights, w + 2 * N);
      FloatVector w3 = FloatVector.fromArray(F, weights, w + 3 * N);
      FloatVector value = FloatVector.broadcast(F, x.get(JAVA_FLOAT, x0 + k));
      s00 = w0.fma(value, s00);
      s01 = w1.fma(value, s01);
      s02 = w2.fma(value, s02);
      s03 = w3.fma(value, s03);
      value = FloatVector.broadcast(F, x.get(JAVA_FLOAT, x1 + k));
      s10 = w0.fma(value, s10);
      s11 = w1.fma(value, s11);
      s12 = w2.fma(value, s12);
      s13 = w3.fma(value, s13);
    }
    s00.intoArray(sums, at0);
    s01.intoArray(sums, at0 + N);
    s02.intoArray(sums, at0 + 2 * N);
    s03.intoArray(sums, at0 + 3 * N);
    s10.intoArray(sums, at1);
    s11.intoArray(sums, at1 + N);
    s12.intoArray(sums, at1 + 2 * N);
    s13.intoArray(sums, at1 + 3 * N);
  }

  /** {@value #ROWS} rows: 24 sums, 4 vectors of weights, one of input: 29 registers. */
  private static void multiplyRows(
      float[] weights,
      int column,
      int count,
      MemorySegment x,
      long x0,
      long xStride,
      float[] sums,
      int at0) {
    long x1 = x0 + xStride;
    long x2 = x1 + xStride;
    long x3 = x2 + xStride;
    long x4 = x3 + xStride;
    long x5 = x4 + xStride;
    int at1 = at0 + COLUMNS;
    int at2 = at1 + COLUMNS;
    int at3 = at2 + COLUMNS;
    int at4 = at3 + COLUMNS;
    int at5 = at4 + COLUMNS;
    FloatVector s00 = FloatVector.fromArray(F, sums, at0);
    FloatVector s01 = FloatVector.fromArray(F, sums, at0 + N);
    FloatVector s02 = FloatVector.fromArray(F, sums, at0 + 2 * N);
    FloatVector s03 = FloatVector.fromArray(F, sums, at0 + 3 * N);
    FloatVector s10 = FloatVector.fromArray(F, sums, at1);
    FloatVector s11 = FloatVector.fromArray(F, sums, at1 + N);
    FloatVector s12 = FloatVector.fromArray(F, sums, at1 + 2 * N);
    FloatVector s13 = FloatVector.fromArray(F, sums, at1 + 3 * N);
    FloatVector s20 = FloatVector.fromArray(F, sums, at2);
    FloatVector s21 = FloatVector.fromArray(F, sums, at2 + N);
    FloatVector s22 = FloatVector.fromArray(F, sums, at2 + 2 * N);
    FloatVector s23 = FloatVector.fromArray(F, sums, at2 + 3 * N);
    FloatVector s30 = FloatVector.fromArray(F, sums, at3);
    FloatVector s31 = FloatVector.fromArray(F, sums, at3 + N);
    FloatVector s32 = FloatVector.fromArray(F, sums, at3 + 2 * N);
    FloatVector s33 = FloatVector.fromArray(F, sums, at3 + 3 * N);
    FloatVector s40 = FloatVector.fromArray(F, sums, at4);
    FloatVector s41 = FloatVector.fromArray(F, sums, at4 + N);
    FloatVector s42 = FloatVector.fromArray(F, sums, at4 + 2 * N);
    FloatVector s43 = FloatVector.fromArray(F, sums, at4 + 3 * N);
    FloatVector s50 = FloatVector.fromArray(F, sums, at5);
    FloatVector s51 = FloatVector.fromArray(F, sums, at5 + N);
    FloatVector s52 = FloatVector.fromArray(F, sums, at5 + 2 * N);
    FloatVector s53 = FloatVector.fromArray(F, sums, at5 + 3 * N);
    for (int i = 0; i < count; i++) {
      int w = i * COLUMNS + column;
      long k = (long) i * Float.BYTES;
      FloatVector w0 = FloatVector.fromArray(F, weights, w);
      FloatVector w1 = FloatVector.fromArray(F, weights, w + N);
      FloatVector w2 = FloatVector.fromArray(F, weights, w + 2 * N);
      FloatVector w3 = FloatVector.fromArray(F, weights, w + 3 * N);
      FloatVector value = FloatVector.broadcast(F, x.get(JAVA_FLOAT, x0 + k));
      s00 = w0.fma(value, s00);
      s01 = w1.fma(value, s01);
      s02 = w2.fma(value, s02);
      s03 = w3.fma(value, s03);
      value = FloatVector.broadcast(F, x.get(JAVA_FLOAT, x1 + k));
      s10 = w0.fma(value, s10);
      s11 = w1.fma(value, s11);
      s12 = w2.fma(value, s12);
      s13 = w3.fma(value, s13);
      value = FloatVector.broadcast(F, x.get(JAVA_FLOAT, x2 + k));
      s20 = w0.fma(value, s20);
      s21 = w1.fma(value, s21);
      s22 = w2.fma(value, s22);
      s23 = w3.fma(value, s23);
      value = FloatVector.broadcast(F, x.get(JAVA_FLOAT, x3 + k));
      s30 = w0.fma(value, s30);
      s31 = w1.fma(value, s31);
      s32 = w2.fma(value, s32);
      s33 = w3.fma(value, s33);
      value = FloatVector.broadcast(F, x.get(JAVA_FLOAT, x4 + k));
      s40 = w0.fma(value, s40);
      s41 = w1.fma(value, s41);
      s42 = w2.fma(value, s42);
      s43 = w3.fma(value, s43);
      value = FloatVector.broadcast(F, x.get(JAVA_FLOAT, x5 + k));
      s50 = w0.fma(value, s50);
      s51 = w1.fma(value, s51);
      s52 = w2.fma(value, s52);
      s53 = w3.fma(value, s53);
    }
    s00.intoArray(sums, at0);
    s01.intoArray(sums, at0 + N);
    s02.intoArray(sums, at0 + 2 * N);
    s03.intoArray(sums, at0 + 3 * N);
    s10.intoArray(sums, at1);
    s11.intoArray(sums, at1 + N);
    s12.intoArray(sums, at1 + 2 * N);
    s13.intoArray(sums, at1 + 3 * N);
    s20.intoArray(sums, at2);
    s21.intoArray(sums, at2 + N);
    s22.intoArray(sums, at2 + 2 * N);
    s23.intoArray(sums, at2 + 3 * N);
    s30.intoArray(sums, at3);
    s31.intoArray(sums, at3 + N);
    s32.intoArray(sums, at3 + 2 * N);
    s33.intoArray(sums, at3 + 3 * N);
    s40.intoArray(sums, at4);
    s41.intoArray(sums, at4 + N);
    s42.intoArray(sums, at4 + 2 * N);
    s43.intoArray(sums, at4 + 3 * N);
    s50.intoArray(sums, at5);
    s51.intoArray(sums, at5 + N);
    s52.intoArray(sums, at5 + 2 * N);
    s53.intoArray(sums, at5 + 3 * N);
  }

  private static void store(
      float[] sums, int at, MemorySegment out, long offset, boolean accumulate) {
    for (int i = 0; i < COLUMNS; i += N) {
      FloatVector sum = FloatVector.fromArray(F, sums, at + i);
      long position = offset + (long) i * Float.BYTES;
      if (accumulate) {
        sum = sum.add(FloatVector.fromMemorySegment(Lanes.FLOATS, out, position, ORDER));
      }
      sum.intoMemorySegment(out, position, ORDER);
    }
  }
}
