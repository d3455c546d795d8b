package dev.offload.backends.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static jdk.incubator.vector.VectorOperators.LSHL;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * A product of few F32 rows with one panel of BF16 weights in plain Java; the panel lies in memory
 * input by input. Each number of the result is summed up in the order of the inputs, by the same
 * instructions whatever the number of rows.
 *
 * <p>With few rows all time goes into reading weights, so they are widened in registers on their
 * way from memory. Two weights are loaded as one int: its upper half is the weight of the odd
 * column, its lower half, shifted up, that of the even one. That is one instruction per vector of
 * weights and leaves the sums of even and odd columns apart until the end.
 */
final class FewRowsKernel implements TileKernel {
  private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Float> F = Lanes.FLOATS;
  private static final VectorSpecies<Integer> I = Lanes.INTS;

  /** Numbers per vector. */
  private static final int N = Lanes.COUNT;

  /** Columns of one pass over the inputs: two vectors of ints. */
  private static final int STRIP = 4 * N;

  private static final int ODD = 0xffff_0000;

  private static final long INPUT_BYTES = (long) COLUMNS * Short.BYTES;
  private static final long INT_BYTES = (long) N * Integer.BYTES;

  private static final boolean MANY_REGISTERS =
      N == 16 || System.getProperty("os.arch").equals("aarch64");

  private static final VectorShuffle<Float> ZIP_LOW = VectorShuffle.makeZip(F, 0);
  private static final VectorShuffle<Float> ZIP_HIGH = VectorShuffle.makeZip(F, 1);

  private final int rows;
  private final int inputs;
  private final long inputStrideBytes;
  private final long outputStrideBytes;
  private final boolean accumulate;
  private final Scratch.Pool scratches;

  /** Scratch for kernels of at most {@code rows} rows. */
  static Scratch.Pool newScratches(int rows) {
    return new Scratch.Pool(0, rows * COLUMNS);
  }

  FewRowsKernel(
      int rows,
      int inputs,
      int inputStride,
      int outputStride,
      boolean accumulate,
      Scratch.Pool scratches) {
    this.rows = rows;
    this.inputs = inputs;
    this.inputStrideBytes = (long) inputStride * Float.BYTES;
    this.outputStrideBytes = (long) outputStride * Float.BYTES;
    this.accumulate = accumulate;
    this.scratches = scratches;
  }

  @Override
  public void multiply(
      MemorySegment x,
      long xOffset,
      MemorySegment panel,
      long panelOffset,
      MemorySegment out,
      long outOffset) {
    Scratch scratch = scratches.acquire();
    int narrow = MANY_REGISTERS ? 0 : rows / 4 * 4;
    for (int column = 0; column < COLUMNS; column += STRIP) {
      long weights = panelOffset + (long) column * Short.BYTES;
      for (int row = 0; row < narrow; row += 4) {
        long x0 = xOffset + row * inputStrideBytes;
        int at = row * COLUMNS + column;
        multiplyFourNarrow(x, x0, inputStrideBytes, inputs, panel, weights, scratch.sums, at);
        multiplyFourNarrow(
            x, x0, inputStrideBytes, inputs, panel, weights + INT_BYTES, scratch.sums, at + 2 * N);
      }
      multiplyStrip(x, xOffset, panel, weights, scratch.sums, column, narrow);
    }
    for (int row = 0; row < rows; row++) {
      store(scratch.sums, row * COLUMNS, out, outOffset + row * outputStrideBytes);
    }
    scratches.release(scratch);
  }

  private void multiplyStrip(
      MemorySegment x,
      long xOffset,
      MemorySegment panel,
      long weights,
      float[] sums,
      int column,
      int firstRow) {
    int row = firstRow;
    for (; MANY_REGISTERS && row + 4 <= rows; row += 4) {
      long x0 = xOffset + row * inputStrideBytes;
      multiplyFour(x, x0, inputStrideBytes, inputs, panel, weights, sums, row * COLUMNS + column);
    }
    for (; row + 2 <= rows; row += 2) {
      long x0 = xOffset + row * inputStrideBytes;
      multiplyTwo(x, x0, inputStrideBytes, inputs, panel, weights, sums, row * COLUMNS + column);
    }
    if (row < rows) {
      long x0 = xOffset + row * inputStrideBytes;
      multiplyOne(x, x0, inputs, panel, weights, sums, row * COLUMNS + column);
    }
  }

  private static void multiplyOne(
      MemorySegment x,
      long x0,
      int inputs,
      MemorySegment panel,
      long weights,
      float[] sums,
      int at0) {
    FloatVector s00 = FloatVector.zero(F);
    FloatVector s01 = FloatVector.zero(F);
    FloatVector s02 = FloatVector.zero(F);
    FloatVector s03 = FloatVector.zero(F);
    for (int i = 0; i < inputs; i++) {
      long w = weights + i * INPUT_BYTES;
      long k = (long) i * Float.BYTES;
      IntVector left = IntVector.fromMemorySegment(I, panel, w, ORDER);
      IntVector right = IntVector.fromMemorySegment(I, panel, w + INT_BYTES, ORDER);
      FloatVector w0 = left.lanewise(LSHL, 16).reinterpretAsFloats();
      FloatVector w1 = left.and(ODD).reinterpretAsFloats();
      FloatVector w2 = right.lanewise(LSHL, 16).reinterpretAsFloats();
      FloatVector w3 = right.and(ODD).reinterpretAsFloats();
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

  /** 8 sums, 4 vectors of weights, one of input: 13 registers. */
  private static void multiplyTwo(
      MemorySegment x,
      long x0,
      long xStride,
      int inputs,
      MemorySegment panel,
      long weights,
      float[] sums,
      int at0) {
    long x1 = x0 + xStride;
    int at1 = at0 + COLUMNS;
    FloatVector s00 = FloatVector.zero(F);
    FloatVector s01 = FloatVector.zero(F);
    FloatVector s02 = FloatVector.zero(F);
    FloatVector s03 = FloatVector.zero(F);
    FloatVector s10 = FloatVector.zero(F);
    FloatVector s11 = FloatVector.zero(F);
    FloatVector s12 = FloatVector.zero(F);
    FloatVector s13 = FloatVector.zero(F);
    for (int i = 0; i < inputs; i++) {
      long w = weights + i * INPUT_BYTES;
      long k = (long) i * Float.BYTES;
      IntVector left = IntVector.fromMemorySegment(I, panel, w, ORDER);
      IntVector right = IntVector.fromMemorySegment(I, panel, w + INT_BYTES, ORDER);
      FloatVector w0 = left.lanewise(LSHL, 16).reinterpretAsFloats();
      FloatVector w1 = left.and(ODD).reinterpretAsFloats();
      FloatVector w2 = right.lanewise(LSHL, 16).reinterpretAsFloats();
      FloatVector w3 = right.and(ODD).reinterpretAsFloats();
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

  /** 16 sums, 4 vectors of weights, one of input: 21 registers. */
  private static void multiplyFour(
      MemorySegment x,
      long x0,
      long xStride,
      int inputs,
      MemorySegment panel,
      long weights,
      float[] sums,
      int at0) {
    long x1 = x0 + xStride;
    long x2 = x1 + xStride;
    long x3 = x2 + xStride;
    int at1 = at0 + COLUMNS;
    int at2 = at1 + COLUMNS;
    int at3 = at2 + COLUMNS;
    FloatVector s00 = FloatVector.zero(F);
    FloatVector s01 = FloatVector.zero(F);
    FloatVector s02 = FloatVector.zero(F);
    FloatVector s03 = FloatVector.zero(F);
    FloatVector s10 = FloatVector.zero(F);
    FloatVector s11 = FloatVector.zero(F);
    FloatVector s12 = FloatVector.zero(F);
    FloatVector s13 = FloatVector.zero(F);
    FloatVector s20 = FloatVector.zero(F);
    FloatVector s21 = FloatVector.zero(F);
    FloatVector s22 = FloatVector.zero(F);
    FloatVector s23 = FloatVector.zero(F);
    FloatVector s30 = FloatVector.zero(F);
    FloatVector s31 = FloatVector.zero(F);
    FloatVector s32 = FloatVector.zero(F);
    FloatVector s33 = FloatVector.zero(F);
    for (int i = 0; i < inputs; i++) {
      long w = weights + i * INPUT_BYTES;
      long k = (long) i * Float.BYTES;
      IntVector left = IntVector.fromMemorySegment(I, panel, w, ORDER);
      IntVector right = IntVector.fromMemorySegment(I, panel, w + INT_BYTES, ORDER);
      FloatVector w0 = left.lanewise(LSHL, 16).reinterpretAsFloats();
      FloatVector w1 = left.and(ODD).reinterpretAsFloats();
      FloatVector w2 = right.lanewise(LSHL, 16).reinterpretAsFloats();
      FloatVector w3 = right.and(ODD).reinterpretAsFloats();
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
  }

  /** 8 sums, 2 vectors of weights, one of input: 12 registers with what they are made from. */
  private static void multiplyFourNarrow(
      MemorySegment x,
      long x0,
      long xStride,
      int inputs,
      MemorySegment panel,
      long weights,
      float[] sums,
      int at0) {
    long x1 = x0 + xStride;
    long x2 = x1 + xStride;
    long x3 = x2 + xStride;
    int at1 = at0 + COLUMNS;
    int at2 = at1 + COLUMNS;
    int at3 = at2 + COLUMNS;
    FloatVector s00 = FloatVector.zero(F);
    FloatVector s01 = FloatVector.zero(F);
    FloatVector s10 = FloatVector.zero(F);
    FloatVector s11 = FloatVector.zero(F);
    FloatVector s20 = FloatVector.zero(F);
    FloatVector s21 = FloatVector.zero(F);
    FloatVector s30 = FloatVector.zero(F);
    FloatVector s31 = FloatVector.zero(F);
    for (int i = 0; i < inputs; i++) {
      long k = (long) i * Float.BYTES;
      IntVector both = IntVector.fromMemorySegment(I, panel, weights + i * INPUT_BYTES, ORDER);
      FloatVector w0 = both.lanewise(LSHL, 16).reinterpretAsFloats();
      FloatVector w1 = both.and(ODD).reinterpretAsFloats();
      FloatVector value = FloatVector.broadcast(F, x.get(JAVA_FLOAT, x0 + k));
      s00 = w0.fma(value, s00);
      s01 = w1.fma(value, s01);
      value = FloatVector.broadcast(F, x.get(JAVA_FLOAT, x1 + k));
      s10 = w0.fma(value, s10);
      s11 = w1.fma(value, s11);
      value = FloatVector.broadcast(F, x.get(JAVA_FLOAT, x2 + k));
      s20 = w0.fma(value, s20);
      s21 = w1.fma(value, s21);
      value = FloatVector.broadcast(F, x.get(JAVA_FLOAT, x3 + k));
      s30 = w0.fma(value, s30);
      s31 = w1.fma(value, s31);
    }
    s00.intoArray(sums, at0);
    s01.intoArray(sums, at0 + N);
    s10.intoArray(sums, at1);
    s11.intoArray(sums, at1 + N);
    s20.intoArray(sums, at2);
    s21.intoArray(sums, at2 + N);
    s30.intoArray(sums, at3);
    s31.intoArray(sums, at3 + N);
  }

  /** Writes a row, in which vectors of even and of odd columns take turns. */
  private void store(float[] sums, int at, MemorySegment out, long offset) {
    for (int i = 0; i < COLUMNS; i += 2 * N) {
      FloatVector even = FloatVector.fromArray(F, sums, at + i);
      FloatVector odd = FloatVector.fromArray(F, sums, at + i + N);
      store(even.rearrange(ZIP_LOW, odd), out, offset + (long) i * Float.BYTES);
      store(even.rearrange(ZIP_HIGH, odd), out, offset + (long) (i + N) * Float.BYTES);
    }
  }

  private void store(FloatVector sum, MemorySegment out, long offset) {
    FloatVector result = sum;
    if (accumulate) {
      result = sum.add(FloatVector.fromMemorySegment(F, out, offset, ORDER));
    }
    result.intoMemorySegment(out, offset, ORDER);
  }
}
