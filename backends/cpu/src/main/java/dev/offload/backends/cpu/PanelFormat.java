package dev.offload.backends.cpu;

import java.lang.foreign.MemorySegment;

/**
 * How the weights of a panel with a certain number of inputs lie in memory, and the kernels that
 * multiply them. Thread-safe.
 */
interface PanelFormat {
  /** Bytes of a panel. */
  long bytes();

  /**
   * Packs one panel.
   *
   * @param from row-major weights, the first one at {@code fromOffset}
   * @param rows at most {@link TileKernel#COLUMNS}; those missing are zero
   * @param to where the panel goes, from {@code toOffset} on
   */
  void pack(MemorySegment from, long fromOffset, int rows, MemorySegment to, long toOffset);

  /**
   * A kernel for a block of rows.
   *
   * @param x where the rows are, in the format of left operands, the first one at {@code xOffset};
   *     they must not change before the kernel is closed
   * @param stride numbers between rows
   * @param rows how many, at least 1
   */
  TileKernel kernel(MemorySegment x, long xOffset, int stride, int rows);
}
