package dev.offload.backends.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Turns rows of weights into a panel, input by input, filled up with zeros. Moves bits, not
 * numbers.
 */
final class PanelTranspose {
  /** Inputs at a time, so that what is written stays in the first-level cache. */
  private static final int BLOCK = 64;

  private PanelTranspose() {}

  /**
   * Writes a panel of {@link TileKernel#COLUMNS} columns.
   *
   * @param from row-major [rows, inputs] at {@code fromOffset}
   * @param to [inputs, columns] at {@code toOffset}
   * @param elementBytes 2 or 4
   */
  static void transpose(
      MemorySegment from,
      long fromOffset,
      MemorySegment to,
      long toOffset,
      int elementBytes,
      int rows,
      int inputs) {
    for (int first = 0; first < inputs; first += BLOCK) {
      int count = Math.min(BLOCK, inputs - first);
      long target = toOffset + (long) first * TileKernel.COLUMNS * elementBytes;
      for (int row = 0; row < TileKernel.COLUMNS; row++) {
        long source = fromOffset + ((long) row * inputs + first) * elementBytes;
        long column = target + (long) row * elementBytes;
        if (elementBytes == Short.BYTES) {
          spreadShorts(row < rows ? from : null, source, to, column, count);
        } else {
          spreadInts(row < rows ? from : null, source, to, column, count);
        }
      }
    }
  }

  /** Writes one column of the panel; zeros if there is no row for it. */
  private static void spreadShorts(
      MemorySegment from, long source, MemorySegment to, long target, int count) {
    for (int i = 0; i < count; i++) {
      short bits = from == null ? 0 : from.get(ValueLayout.JAVA_SHORT, source + 2L * i);
      to.set(ValueLayout.JAVA_SHORT, target + 2L * TileKernel.COLUMNS * i, bits);
    }
  }

  private static void spreadInts(
      MemorySegment from, long source, MemorySegment to, long target, int count) {
    for (int i = 0; i < count; i++) {
      int bits = from == null ? 0 : from.get(ValueLayout.JAVA_INT, source + 4L * i);
      to.set(ValueLayout.JAVA_INT, target + 4L * TileKernel.COLUMNS * i, bits);
    }
  }
}
