package dev.offload.backends.cpu;

import static jdk.incubator.vector.VectorOperators.LSHL;

import dev.offload.backends.api.MemoryBudget;
import dev.offload.tensors.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * A product of up to {@value #MOST_ROWS} BF16 rows with a panel of BF16 weights in pairs: for every
 * two inputs the weights of all outputs, the two of an output side by side. That is the order of
 * oneDNN on processors which multiply such pairs.
 *
 * <p>With so few rows all time goes into reading weights, and this loop reads them faster than
 * oneDNN does: from front to back, four lines at a time, with little work in between. Weights are
 * widened in registers, and each number of the result is summed up in the order of the inputs by
 * the same instructions whatever the number of rows.
 */
final class PairedRowsKernel implements TileKernel {
  static final int MOST_ROWS = 4;

  /** Vectors of outputs in a loop. */
  private static final int VECTORS = 4;

  private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Float> F = Lanes.FLOATS;
  private static final VectorSpecies<Integer> I = Lanes.INTS;

  /** Numbers per vector. */
  private static final int N = Lanes.COUNT;

  private static final long VECTOR_BYTES = (long) N * Integer.BYTES;

  /** Bytes of all weights of one input. */
  private static final long INPUT_BYTES = COLUMNS * (long) Short.BYTES;

  private static final int UPPER_HALF = 0xffff_0000;

  private final int rowCount;
  private final int inputs;
  private final float[] rows;
  private final int at;
  private final Scratch.Pool scratches;

  /** Whether vectors are so wide that a row's sums of a panel fit four of them. */
  static boolean fits() {
    return VECTORS * N >= COLUMNS;
  }

  /** Scratch for kernels. */
  static Scratch.Pool newScratches(MemoryBudget budget) {
    return new Scratch.Pool(budget, 0, MOST_ROWS * COLUMNS);
  }

  /** Numbers that the rows take when they are widened. */
  static int widenedNumbers(int inputs) {
    return MOST_ROWS * inputs;
  }

  /** Whether a packed panel has its weights in pairs. */
  static boolean isPaired(MemorySegment rowMajor, int inputs, MemorySegment panel) {
    if (inputs % 2 != 0 || panel.byteSize() != inputs * INPUT_BYTES) {
      return false;
    }
    long numbers = (long) COLUMNS * inputs;
    short[] from = rowMajor.asSlice(0, numbers * Short.BYTES).toArray(ValueLayout.JAVA_SHORT);
    short[] to = panel.toArray(ValueLayout.JAVA_SHORT);
    for (int output = 0; output < COLUMNS; output++) {
      for (int input = 0; input < inputs; input++) {
        int pair = input / 2 * COLUMNS + output;
        if (from[output * inputs + input] != to[2 * pair + input % 2]) {
          return false;
        }
      }
    }
    return true;
  }

  /**
   * As {@link PanelFormat#kernel}; the rows are widened into {@code widened}.
   *
   * @param rows at most {@value #MOST_ROWS}
   * @param inputs an even number
   */
  PairedRowsKernel(
      MemorySegment x,
      long xOffset,
      int stride,
      int rows,
      int inputs,
      float[] widened,
      int at,
      Scratch.Pool scratches) {
    rowCount = rows;
    this.inputs = inputs;
    this.rows = widened;
    this.at = at;
    this.scratches = scratches;
    for (int row = 0; row < rows; row++) {
      long from = xOffset + (long) row * stride * Short.BYTES;
      RowCodec.load(x, from, DType.BF16, widened, at + row * inputs, inputs);
    }
    Arrays.fill(widened, at + rows * inputs, at + widenedNumbers(inputs), 0);
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
    for (int column = 0; column < COLUMNS; column += VECTORS * N) {
      long weights = panelOffset + (long) column * Integer.BYTES;
      multiply(rows, at, inputs, panel, weights, scratch.sums, column);
    }
    for (int row = 0; row < rowCount; row++) {
      long offset = outOffset + (long) row * outStride * Float.BYTES;
      FewRowsKernel.store(scratch.sums, row * COLUMNS, out, offset, accumulate);
    }
    scratches.release(scratch);
  }

  /** Four rows and four vectors of outputs. */
  private static void multiply(
      float[] rows,
      int at,
      int inputs,
      MemorySegment panel,
      long weights,
      float[] sums,
      int column) {
    int row1 = inputs;
    int row2 = row1 + inputs;
    int row3 = row2 + inputs;
    FloatVector s00 = FloatVector.zero(F);
    FloatVector s01 = s00;
    FloatVector s02 = s00;
    FloatVector s03 = s00;
    FloatVector s10 = s00;
    FloatVector s11 = s00;
    FloatVector s12 = s00;
    FloatVector s13 = s00;
    FloatVector s20 = s00;
    FloatVector s21 = s00;
    FloatVector s22 = s00;
    FloatVector s23 = s00;
    FloatVector s30 = s00;
    FloatVector s31 = s00;
    FloatVector s32 = s00;
    FloatVector s33 = s00;
    for (int k = 0; k < inputs; k += 2) {
      long from = weights + k * INPUT_BYTES;
      IntVector p0 = IntVector.fromMemorySegment(I, panel, from, ORDER);
      IntVector p1 = IntVector.fromMemorySegment(I, panel, from + VECTOR_BYTES, ORDER);
      IntVector p2 = IntVector.fromMemorySegment(I, panel, from + 2 * VECTOR_BYTES, ORDER);
      IntVector p3 = IntVector.fromMemorySegment(I, panel, from + 3 * VECTOR_BYTES, ORDER);
      FloatVector w0 = p0.lanewise(LSHL, 16).reinterpretAsFloats();
      FloatVector w1 = p1.lanewise(LSHL, 16).reinterpretAsFloats();
      FloatVector w2 = p2.lanewise(LSHL, 16).reinterpretAsFloats();
      FloatVector w3 = p3.lanewise(LSHL, 16).reinterpretAsFloats();
      FloatVector value = FloatVector.broadcast(F, rows[at + k]);
      s00 = w0.fma(value, s00);
      s01 = w1.fma(value, s01);
      s02 = w2.fma(value, s02);
      s03 = w3.fma(value, s03);
      value = FloatVector.broadcast(F, rows[at + row1 + k]);
      s10 = w0.fma(value, s10);
      s11 = w1.fma(value, s11);
      s12 = w2.fma(value, s12);
      s13 = w3.fma(value, s13);
      value = FloatVector.broadcast(F, rows[at + row2 + k]);
      s20 = w0.fma(value, s20);
      s21 = w1.fma(value, s21);
      s22 = w2.fma(value, s22);
      s23 = w3.fma(value, s23);
      value = FloatVector.broadcast(F, rows[at + row3 + k]);
      s30 = w0.fma(value, s30);
      s31 = w1.fma(value, s31);
      s32 = w2.fma(value, s32);
      s33 = w3.fma(value, s33);
      w0 = p0.and(UPPER_HALF).reinterpretAsFloats();
      w1 = p1.and(UPPER_HALF).reinterpretAsFloats();
      w2 = p2.and(UPPER_HALF).reinterpretAsFloats();
      w3 = p3.and(UPPER_HALF).reinterpretAsFloats();
      value = FloatVector.broadcast(F, rows[at + k + 1]);
      s00 = w0.fma(value, s00);
      s01 = w1.fma(value, s01);
      s02 = w2.fma(value, s02);
      s03 = w3.fma(value, s03);
      value = FloatVector.broadcast(F, rows[at + row1 + k + 1]);
      s10 = w0.fma(value, s10);
      s11 = w1.fma(value, s11);
      s12 = w2.fma(value, s12);
      s13 = w3.fma(value, s13);
      value = FloatVector.broadcast(F, rows[at + row2 + k + 1]);
      s20 = w0.fma(value, s20);
      s21 = w1.fma(value, s21);
      s22 = w2.fma(value, s22);
      s23 = w3.fma(value, s23);
      value = FloatVector.broadcast(F, rows[at + row3 + k + 1]);
      s30 = w0.fma(value, s30);
      s31 = w1.fma(value, s31);
      s32 = w2.fma(value, s32);
      s33 = w3.fma(value, s33);
    }
    s00.intoArray(sums, column);
    s01.intoArray(sums, column + N);
    s02.intoArray(sums, column + 2 * N);
    s03.intoArray(sums, column + 3 * N);
    s10.intoArray(sums, column + COLUMNS);
    s11.intoArray(sums, column + COLUMNS + N);
    s12.intoArray(sums, column + COLUMNS + 2 * N);
    s13.intoArray(sums, column + COLUMNS + 3 * N);
    s20.intoArray(sums, column + 2 * COLUMNS);
    s21.intoArray(sums, column + 2 * COLUMNS + N);
    s22.intoArray(sums, column + 2 * COLUMNS + 2 * N);
    s23.intoArray(sums, column + 2 * COLUMNS + 3 * N);
    s30.intoArray(sums, column + 3 * COLUMNS);
    s31.intoArray(sums, column + 3 * COLUMNS + N);
    s32.intoArray(sums, column + 3 * COLUMNS + 2 * N);
    s33.intoArray(sums, column + 3 * COLUMNS + 3 * N);
  }
}
