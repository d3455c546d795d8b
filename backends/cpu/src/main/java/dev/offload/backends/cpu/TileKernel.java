package dev.offload.backends.cpu;

import dev.offload.backends.api.Operations;
import java.lang.foreign.MemorySegment;

/**
 * A block of rows, ready to be multiplied by panels of weights, {@value #COLUMNS} columns wide.
 * Several threads may multiply at once.
 */
interface TileKernel {
  /** Outputs of a panel; the last panel of a weight is filled up with zeros. */
  int COLUMNS = Operations.PANEL_OUTPUTS;

  /** Panels of a weight. */
  static int panels(int outputs) {
    return Math.ceilDiv(outputs, COLUMNS);
  }

  /**
   * Computes {@code out = rows · panel} or {@code out += rows · panel}.
   *
   * @param panel where the weights are, from {@code panelOffset} on
   * @param out where the F32 rows of the result go, the first one to {@code outOffset}; all {@value
   *     #COLUMNS} columns are written
   * @param outStride numbers between rows of the result
   * @param accumulate whether the result is added to what is there
   */
  void multiply(
      MemorySegment panel,
      long panelOffset,
      MemorySegment out,
      long outOffset,
      int outStride,
      boolean accumulate);

  /**
   * The same for panels one behind the other, whose products come side by side.
   *
   * @param panelBytes of each
   * @param count of panels
   */
  default void multiplyAll(
      MemorySegment panels,
      long panelOffset,
      long panelBytes,
      int count,
      MemorySegment out,
      long outOffset,
      int outStride,
      boolean accumulate) {
    for (int i = 0; i < count; i++) {
      long column = outOffset + (long) i * COLUMNS * Float.BYTES;
      multiply(panels, panelOffset + i * panelBytes, out, column, outStride, accumulate);
    }
  }

  /**
   * The rows of this kernel and those of another below them.
   *
   * @param rows of this kernel
   */
  default TileKernel above(TileKernel below, int rows) {
    return new StackedTileKernel(this, rows, below);
  }
}
