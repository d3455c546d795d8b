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
   * Rows of the next block where so many are left.
   *
   * @param most rows of a block
   */
  int blockRows(int left, int most);

  /** Panels that kernels multiply fastest at once. */
  int panelsAtOnce();

  /** Numbers of scratch that a kernel for so many rows needs. */
  int scratchNumbers(int rows);

  /** Bytes that a task works in while it multiplies, at most; kept for the next tasks. */
  long taskBytes();

  /**
   * A kernel for a block of rows.
   *
   * @param x where the rows are, in the format of left operands, the first one at {@code xOffset};
   *     they must not change while the kernel is in use
   * @param stride numbers between rows
   * @param rows how many, at least 1
   * @param scratch the kernel's own from {@code at} on, as long as it is in use
   */
  TileKernel kernel(MemorySegment x, long xOffset, int stride, int rows, float[] scratch, int at);
}
