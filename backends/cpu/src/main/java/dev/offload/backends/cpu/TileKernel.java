package dev.offload.backends.cpu;

import java.lang.foreign.MemorySegment;

/**
 * A product of some rows with one panel of weights, {@value #COLUMNS} columns wide. Thread-safe.
 */
interface TileKernel {
  /** Outputs of a panel; the last panel of a weight is filled up with zeros. */
  int COLUMNS = 64;

  /** Panels of a weight. */
  static int panels(int outputs) {
    return Math.ceilDiv(outputs, COLUMNS);
  }

  /**
   * Computes {@code out = x · panel} or {@code out += x · panel}; what exactly, and with which
   * sizes, formats and strides, was said when the kernel was made.
   *
   * @param x where the rows of the left operand are, the first one at {@code xOffset}
   * @param panel where the weights are, from {@code panelOffset} on
   * @param out where the F32 rows of the result go, the first one to {@code outOffset}; all {@value
   *     #COLUMNS} columns are written
   */
  void multiply(
      MemorySegment x,
      long xOffset,
      MemorySegment panel,
      long panelOffset,
      MemorySegment out,
      long outOffset);

  /**
   * A kernel for the rows of this one and the rows of another below them.
   *
   * @param inputBytes from the first row of the left operand to the first one below
   * @param outputBytes from the first row of the result to the first one below
   */
  default TileKernel above(TileKernel below, long inputBytes, long outputBytes) {
    return (x, xOffset, panel, panelOffset, out, outOffset) -> {
      multiply(x, xOffset, panel, panelOffset, out, outOffset);
      below.multiply(x, xOffset + inputBytes, panel, panelOffset, out, outOffset + outputBytes);
    };
  }

  /** Makes kernels. Thread-safe. */
  interface Factory {
    /**
     * A kernel for a left operand of certain sizes.
     *
     * @param rows of the left operand
     * @param inputStride elements between its rows
     * @param outputStride elements between rows of the result
     * @param accumulate whether the result is added to what is there
     */
    TileKernel kernel(int rows, int inputStride, int outputStride, boolean accumulate);
  }
}
