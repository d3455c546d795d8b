package dev.offload.backends.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static jdk.incubator.vector.VectorOperators.LSHL;

import dev.offload.backends.api.MemoryBudget;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * A product of few F32 rows with plain panels of BF16 weights in plain Java. Each number of the
 * result is summed up in the order of the inputs, by the same instructions whatever the number of
 * rows.
 *
 * <p>With few rows all time goes into reading weights, so they are widened in registers on their
 * way from memory, with one instruction per vector of weights.
 *
 * <p>The rows are put side by side first, {@value #ROWS} numbers of one input next to each other:
 * read from one array they cost the inner loop nothing, read from memory row by row they cost half
 * of its time. Of the rows that are left, one or two have loops of their own and three are filled
 * up with zeros.
 */
final class FewRowsKernel implements TileKernel {
  /** Rows of a group: 8 sums, 2 vectors of weights, their ints and an input fit 16 registers. */
  private static final int ROWS = 4;

  /**
   * Inputs after which the next columns come if many groups of rows read them again: what is read
   * of a strip stays in the cache. With one or two groups strips are read from end to end, because
   * the processor fetches ahead only after the first lines of each piece.
   */
  private static final int STRETCH = 256;

  private static final int FEW_GROUPS = 2;

  private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Float> F = Lanes.FLOATS;
  private static final VectorSpecies<Integer> I = Lanes.INTS;

  /** Numbers per vector. */
  private static final int N = Lanes.COUNT;

  private static final int UPPER_HALF = 0xffff_0000;

  private final int rows;
  private final int inputs;
  private final int stretch;
  private final Scratch.Pool scratches;
  private final float[] packedRows;
  private final int packedAt;

  /** Scratch for kernels of up to so many rows. */
  static Scratch.Pool newScratches(MemoryBudget budget, int mostRows) {
    return new Scratch.Pool(budget, 0, Math.ceilDiv(mostRows, ROWS) * ROWS * COLUMNS);
  }

  /** Numbers that so many rows take side by side. */
  static int packedNumbers(int rows, int inputs) {
    return Math.ceilDiv(rows, ROWS) * ROWS * inputs;
  }

  /** As {@link PanelFormat#kernel}; the rows are put into {@code packed}. */
  FewRowsKernel(
      MemorySegment x,
      long xOffset,
      int stride,
      int rows,
      int inputs,
      float[] packed,
      int at,
      Scratch.Pool scratches) {
    this.rows = rows;
    this.inputs = inputs;
    this.stretch = rows <= FEW_GROUPS * ROWS ? inputs : STRETCH;
    this.scratches = scratches;
    packedRows = packed;
    packedAt = at;
    long strideBytes = (long) stride * Float.BYTES;
    for (int row = 0; row < rows; row += ROWS) {
      long first = xOffset + row * strideBytes;
      int left = rows - row;
      if (left >= ROWS) {
        packFour(x, first, strideBytes, inputs, packed, at + row * inputs);
      } else {
        packRest(x, first, strideBytes, left, inputs, packed, at + row * inputs);
      }
    }
  }

  /** How many rows lie side by side in a group that begins with so many rows left. */
  private static int sideBySide(int left) {
    return left < 3 ? left : ROWS;
  }

  private static void packFour(
      MemorySegment x, long x0, long strideBytes, int inputs, float[] to, int at) {
    long x1 = x0 + strideBytes;
    long x2 = x1 + strideBytes;
    long x3 = x2 + strideBytes;
    for (int i = 0; i < inputs; i++) {
      long k = (long) i * Float.BYTES;
      int j = at + i * ROWS;
      to[j] = x.get(JAVA_FLOAT, x0 + k);
      to[j + 1] = x.get(JAVA_FLOAT, x1 + k);
      to[j + 2] = x.get(JAVA_FLOAT, x2 + k);
      to[j + 3] = x.get(JAVA_FLOAT, x3 + k);
    }
  }

  private static void packRest(
      MemorySegment x, long x0, long strideBytes, int rows, int inputs, float[] to, int at) {
    int side = sideBySide(rows);
    for (int row = 0; row < side; row++) {
      long from = x0 + row * strideBytes;
      for (int i = 0; i < inputs; i++) {
        to[at + i * side + row] = row < rows ? x.get(JAVA_FLOAT, from + (long) i * Float.BYTES) : 0;
      }
    }
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
    float[] sums = scratch.sums;
    Arrays.fill(sums, 0, Math.ceilDiv(rows, ROWS) * ROWS * COLUMNS, 0);
    for (int first = 0; first < inputs; first += stretch) {
      multiplyStretch(panel, panelOffset, first, Math.min(stretch, inputs - first), sums);
    }
    for (int row = 0; row < rows; row++) {
      long offset = outOffset + (long) row * outStride * Float.BYTES;
      store(sums, row * COLUMNS, out, offset, accumulate);
    }
    scratches.release(scratch);
  }

  private void multiplyStretch(
      MemorySegment panel, long panelOffset, int first, int count, float[] sums) {
    for (int strip = 0; strip < PanelLayout.STRIPS; strip += 2) {
      long left = panelOffset + PanelLayout.offset(strip, first, inputs);
      long right = panelOffset + PanelLayout.offset(strip + 1, first, inputs);
      int column = strip * PanelLayout.STRIP;
      for (int row = 0; row < rows; row += ROWS) {
        int side = sideBySide(rows - row);
        int from = packedAt + row * inputs + first * side;
        int at = row * COLUMNS + column;
        switch (side) {
          case 1 -> multiplyOne(packedRows, from, count, panel, left, right, sums, at);
          case 2 -> multiplyTwo(packedRows, from, count, panel, left, right, sums, at);
          default -> {
            multiplyFour(packedRows, from, count, panel, left, sums, at);
            multiplyFour(packedRows, from, count, panel, right, sums, at + PanelLayout.STRIP);
          }
        }
      }
    }
  }

  /** Four rows and one strip. */
  private static void multiplyFour(
      float[] rows, int first, int count, MemorySegment panel, long weights, float[] sums, int at) {
    int at1 = at + COLUMNS;
    int at2 = at1 + COLUMNS;
    int at3 = at2 + COLUMNS;
    FloatVector s00 = FloatVector.fromArray(F, sums, at);
    FloatVector s01 = FloatVector.fromArray(F, sums, at + N);
    FloatVector s10 = FloatVector.fromArray(F, sums, at1);
    FloatVector s11 = FloatVector.fromArray(F, sums, at1 + N);
    FloatVector s20 = FloatVector.fromArray(F, sums, at2);
    FloatVector s21 = FloatVector.fromArray(F, sums, at2 + N);
    FloatVector s30 = FloatVector.fromArray(F, sums, at3);
    FloatVector s31 = FloatVector.fromArray(F, sums, at3 + N);
    for (int i = 0; i < count; i++) {
      int k = first + i * ROWS;
      IntVector both =
          IntVector.fromMemorySegment(I, panel, weights + i * PanelLayout.STRIP_BYTES, ORDER);
      FloatVector low = both.lanewise(LSHL, 16).reinterpretAsFloats();
      FloatVector high = both.and(UPPER_HALF).reinterpretAsFloats();
      FloatVector value = FloatVector.broadcast(F, rows[k]);
      s00 = low.fma(value, s00);
      s01 = high.fma(value, s01);
      value = FloatVector.broadcast(F, rows[k + 1]);
      s10 = low.fma(value, s10);
      s11 = high.fma(value, s11);
      value = FloatVector.broadcast(F, rows[k + 2]);
      s20 = low.fma(value, s20);
      s21 = high.fma(value, s21);
      value = FloatVector.broadcast(F, rows[k + 3]);
      s30 = low.fma(value, s30);
      s31 = high.fma(value, s31);
    }
    s00.intoArray(sums, at);
    s01.intoArray(sums, at + N);
    s10.intoArray(sums, at1);
    s11.intoArray(sums, at1 + N);
    s20.intoArray(sums, at2);
    s21.intoArray(sums, at2 + N);
    s30.intoArray(sums, at3);
    s31.intoArray(sums, at3 + N);
  }

  /** Two rows and two strips. */
  private static void multiplyTwo(
      float[] rows,
      int first,
      int count,
      MemorySegment panel,
      long left,
      long right,
      float[] sums,
      int at) {
    int at1 = at + COLUMNS;
    FloatVector s00 = FloatVector.fromArray(F, sums, at);
    FloatVector s01 = FloatVector.fromArray(F, sums, at + N);
    FloatVector s02 = FloatVector.fromArray(F, sums, at + 2 * N);
    FloatVector s03 = FloatVector.fromArray(F, sums, at + 3 * N);
    FloatVector s10 = FloatVector.fromArray(F, sums, at1);
    FloatVector s11 = FloatVector.fromArray(F, sums, at1 + N);
    FloatVector s12 = FloatVector.fromArray(F, sums, at1 + 2 * N);
    FloatVector s13 = FloatVector.fromArray(F, sums, at1 + 3 * N);
    for (int i = 0; i < count; i++) {
      int k = first + 2 * i;
      long from = i * PanelLayout.STRIP_BYTES;
      IntVector l = IntVector.fromMemorySegment(I, panel, left + from, ORDER);
      IntVector r = IntVector.fromMemorySegment(I, panel, right + from, ORDER);
      FloatVector w0 = l.lanewise(LSHL, 16).reinterpretAsFloats();
      FloatVector w1 = l.and(UPPER_HALF).reinterpretAsFloats();
      FloatVector w2 = r.lanewise(LSHL, 16).reinterpretAsFloats();
      FloatVector w3 = r.and(UPPER_HALF).reinterpretAsFloats();
      FloatVector value = FloatVector.broadcast(F, rows[k]);
      s00 = w0.fma(value, s00);
      s01 = w1.fma(value, s01);
      s02 = w2.fma(value, s02);
      s03 = w3.fma(value, s03);
      value = FloatVector.broadcast(F, rows[k + 1]);
      s10 = w0.fma(value, s10);
      s11 = w1.fma(value, s11);
      s12 = w2.fma(value, s12);
      s13 = w3.fma(value, s13);
    }
    s00.intoArray(sums, at);
    s01.intoArray(sums, at + N);
    s02.intoArray(sums, at + 2 * N);
    s03.intoArray(sums, at + 3 * N);
    s10.intoArray(sums, at1);
    s11.intoArray(sums, at1 + N);
    s12.intoArray(sums, at1 + 2 * N);
    s13.intoArray(sums, at1 + 3 * N);
  }

  /** One row and two strips. */
  private static void multiplyOne(
      float[] rows,
      int first,
      int count,
      MemorySegment panel,
      long left,
      long right,
      float[] sums,
      int at) {
    FloatVector s00 = FloatVector.fromArray(F, sums, at);
    FloatVector s01 = FloatVector.fromArray(F, sums, at + N);
    FloatVector s02 = FloatVector.fromArray(F, sums, at + 2 * N);
    FloatVector s03 = FloatVector.fromArray(F, sums, at + 3 * N);
    for (int i = 0; i < count; i++) {
      int k = first + i;
      long from = i * PanelLayout.STRIP_BYTES;
      IntVector l = IntVector.fromMemorySegment(I, panel, left + from, ORDER);
      IntVector r = IntVector.fromMemorySegment(I, panel, right + from, ORDER);
      FloatVector w0 = l.lanewise(LSHL, 16).reinterpretAsFloats();
      FloatVector w1 = l.and(UPPER_HALF).reinterpretAsFloats();
      FloatVector w2 = r.lanewise(LSHL, 16).reinterpretAsFloats();
      FloatVector w3 = r.and(UPPER_HALF).reinterpretAsFloats();
      FloatVector value = FloatVector.broadcast(F, rows[k]);
      s00 = w0.fma(value, s00);
      s01 = w1.fma(value, s01);
      s02 = w2.fma(value, s02);
      s03 = w3.fma(value, s03);
    }
    s00.intoArray(sums, at);
    s01.intoArray(sums, at + N);
    s02.intoArray(sums, at + 2 * N);
    s03.intoArray(sums, at + 3 * N);
  }

  /** Writes the sums of a row, or adds them to what is there. */
  static void store(float[] sums, int at, MemorySegment out, long offset, boolean accumulate) {
    for (int i = 0; i < COLUMNS; i += N) {
      FloatVector sum = FloatVector.fromArray(F, sums, at + i);
      long to = offset + (long) i * Float.BYTES;
      if (accumulate) {
        sum = sum.add(FloatVector.fromMemorySegment(F, out, to, ORDER));
      }
      sum.intoMemorySegment(out, to, ORDER);
    }
  }
}
