package dev.offload.backends.cpu;

import java.lang.foreign.MemorySegment;

/**
 * How the weights of a panel with a certain number of inputs lie in memory, and the kernels that
 * multiply them. Thread-safe.
 */
interface PanelFormat extends TileKernel.Factory {
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
}
