package dev.offload.backends.cpu;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.offload.tensors.DType;
import java.lang.foreign.MemorySegment;

/**
 * Where the weights of a plain panel lie. F32 weights lie input by input, [inputs, {@link
 * TileKernel#COLUMNS}]. 16-bit weights lie in strips of {@link #STRIP} columns, [strips, inputs,
 * lanes, 2]: a kernel that computes the columns of a strip reads memory from front to back, and an
 * int holds the weights of two columns that are a vector apart, the first one in its lower half, so
 * that one load and one instruction each give two vectors of neighbouring columns.
 */
final class PanelLayout {
  /** Columns of a strip: two vectors. */
  static final int STRIP = 2 * Lanes.COUNT;

  /** Strips of a panel. */
  static final int STRIPS = TileKernel.COLUMNS / STRIP;

  /** Bytes of the weights of one input in a strip. */
  static final long STRIP_BYTES = (long) STRIP * Short.BYTES;

  private PanelLayout() {}

  /** Bytes of a panel. */
  static long bytes(DType dtype, int inputs) {
    return (long) inputs * TileKernel.COLUMNS * dtype.bytes();
  }

  /** Bytes from the start of a panel of 16-bit weights to an input of a strip. */
  static long offset(int strip, int input, int inputs) {
    return ((long) strip * inputs + input) * STRIP_BYTES;
  }

  /**
   * Writes a panel. Moves bits, not numbers.
   *
   * @param from row-major [rows, inputs] at {@code fromOffset}; rows missing in the panel are zero
   */
  static void pack(
      MemorySegment from,
      long fromOffset,
      DType dtype,
      int rows,
      int inputs,
      MemorySegment to,
      long toOffset) {
    if (dtype == DType.F32) {
      packInts(from, fromOffset, rows, inputs, to, toOffset);
      return;
    }
    for (int strip = 0; strip < STRIPS; strip++) {
      packStrip(
          from, fromOffset, strip * STRIP, rows, inputs, to, toOffset + offset(strip, 0, inputs));
    }
  }

  private static void packInts(
      MemorySegment from, long fromOffset, int rows, int inputs, MemorySegment to, long toOffset) {
    for (int input = 0; input < inputs; input++) {
      long source = fromOffset + (long) input * Integer.BYTES;
      long target = toOffset + (long) input * TileKernel.COLUMNS * Integer.BYTES;
      for (int row = 0; row < TileKernel.COLUMNS; row++) {
        long at = source + (long) row * inputs * Integer.BYTES;
        to.set(
            JAVA_INT, target + (long) row * Integer.BYTES, row < rows ? from.get(JAVA_INT, at) : 0);
      }
    }
  }

  private static void packStrip(
      MemorySegment from,
      long fromOffset,
      int firstRow,
      int rows,
      int inputs,
      MemorySegment to,
      long toOffset) {
    long rowBytes = (long) inputs * Short.BYTES;
    boolean full = firstRow + STRIP <= rows;
    for (int input = 0; input < inputs; input++) {
      long source = fromOffset + firstRow * rowBytes + (long) input * Short.BYTES;
      long target = toOffset + input * STRIP_BYTES;
      for (int lane = 0; lane < Lanes.COUNT; lane++) {
        long low = source + lane * rowBytes;
        long high = low + Lanes.COUNT * rowBytes;
        int pair =
            full
                ? pair(from.get(JAVA_SHORT, low), from.get(JAVA_SHORT, high))
                : pair(
                    firstRow + lane < rows ? from.get(JAVA_SHORT, low) : 0,
                    firstRow + lane + Lanes.COUNT < rows ? from.get(JAVA_SHORT, high) : 0);
        to.set(JAVA_INT, target + (long) lane * Integer.BYTES, pair);
      }
    }
  }

  private static int pair(short low, short high) {
    return (low & 0xffff) | high << 16;
  }
}
