package dev.offload.backends.cpu;

import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Weight;
import dev.offload.backends.api.WeightRows;
import dev.offload.tensors.DType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.List;

/**
 * Multiplies small whole numbers and compares the sums, which are exact in every format. oneDNN
 * picks its code by processor and size, and some of it has been wrong, so it has to pass once on
 * each machine before it is trusted.
 */
final class OneDnnCheck {
  /** Blocks of rows, which oneDNN multiplies, and some more (see {@link PlainPanels#kernel}). */
  private static final int ROWS = PlainPanels.MANY_ROWS + 3;

  private static final int OUTPUTS = TileKernel.COLUMNS;

  /** More than two slices of inputs, the last one odd. */
  private static final int INPUTS = 1101;

  private static final int[] COLUMNS = {0, 17, OUTPUTS - 1};

  private OneDnnCheck() {}

  /**
   * Checks all formats of weights.
   *
   * @throws IOException if a result is wrong
   */
  static void run(MatrixProduct product) throws IOException {
    for (DType weights : DType.values()) {
      try (Arena arena = Arena.ofShared()) {
        check(product, weights, arena);
      } catch (IllegalStateException e) {
        throw new IOException("oneDNN fails here: " + e.getMessage(), e);
      }
    }
  }

  private static void check(MatrixProduct product, DType weights, Arena arena) throws IOException {
    DType input = product.input(weights);
    CpuBuffer x = filled(arena, input, ROWS, 1);
    CpuBuffer rowMajor = filled(arena, weights, OUTPUTS, 3);
    CpuBuffer packed = newBuffer(arena, product.packedBytes(weights, OUTPUTS, INPUTS));
    CpuBuffer out = newBuffer(arena, (long) ROWS * OUTPUTS * Float.BYTES);
    Weight weight = new Weight(packed, 0, weights, OUTPUTS, INPUTS, true);
    product.pack(new Weight(rowMajor, 0, weights, OUTPUTS, INPUTS, false), weight);
    product.multiply(
        Matrix.dense(x, 0, input, ROWS, INPUTS),
        List.of(new WeightRows(weight, 0, ROWS)),
        List.of(),
        false,
        Matrix.dense(out, 0, DType.F32, ROWS, OUTPUTS));
    float[] sums = new float[ROWS * OUTPUTS];
    RowCodec.load(out.segment(), 0, DType.F32, sums, 0, sums.length);
    for (int row = 0; row < ROWS; row++) {
      for (int column : COLUMNS) {
        compare(weights, expected(row, column), sums[row * OUTPUTS + column]);
      }
    }
  }

  private static void compare(DType weights, int expected, float actual) throws IOException {
    if (actual != expected) {
      throw new IOException(
          "oneDNN multiplies %s weights wrongly on this processor (%s instead of %d)"
              .formatted(weights, actual, expected));
    }
  }

  private static CpuBuffer filled(Arena arena, DType dtype, int rows, int factor) {
    CpuBuffer buffer = newBuffer(arena, (long) rows * INPUTS * dtype.bytes());
    float[] values = new float[INPUTS];
    for (int row = 0; row < rows; row++) {
      for (int k = 0; k < INPUTS; k++) {
        values[k] = number(row, k, factor);
      }
      long offset = (long) row * INPUTS * dtype.bytes();
      RowCodec.store(values, 0, buffer.segment(), offset, dtype, INPUTS);
    }
    return buffer;
  }

  private static int expected(int row, int column) {
    int sum = 0;
    for (int k = 0; k < INPUTS; k++) {
      sum += number(row, k, 1) * number(column, k, 3);
    }
    return sum;
  }

  /** A number from -2 to 2. */
  private static int number(int row, int k, int factor) {
    return (factor * row + k * (k / 7 + factor)) % 5 - 2;
  }

  private static CpuBuffer newBuffer(Arena arena, long bytes) {
    return new CpuBuffer(arena.allocate(bytes, 4096), () -> {});
  }
}
