package dev.offload.backends.cpu;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.offload.tensors.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

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

  /** Weights in a cache line. */
  private static final int LINE_SHORTS = 32;

  private static final int LINE_INTS = 16;

  private static final ValueLayout.OfLong FOUR_SHORTS =
      JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

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

  /** Weights of F32, in blocks of whole cache lines of each row. */
  private static void packInts(
      MemorySegment from, long fromOffset, int rows, int inputs, MemorySegment to, long toOffset) {
    int[] block = new int[LINE_INTS * TileKernel.COLUMNS];
    for (int first = 0; first < inputs; first += LINE_INTS) {
      int count = Math.min(LINE_INTS, inputs - first);
      for (int row = 0; row < rows; row++) {
        long source = fromOffset + ((long) row * inputs + first) * Integer.BYTES;
        for (int i = 0; i < count; i++) {
          block[i * TileKernel.COLUMNS + row] =
              from.get(JAVA_INT, source + (long) i * Integer.BYTES);
        }
      }
      long target = toOffset + (long) first * TileKernel.COLUMNS * Integer.BYTES;
      MemorySegment.copy(block, 0, to, JAVA_INT, target, count * TileKernel.COLUMNS);
    }
  }

  /**
   * 16-bit weights of a strip, likewise; rows begin some power of two apart and share few sets of a
   * cache, so that a line has to be used up before the next row is read.
   */
  private static void packStrip(
      MemorySegment from,
      long fromOffset,
      int firstRow,
      int rows,
      int inputs,
      MemorySegment to,
      long toOffset) {
    int[] block = new int[LINE_SHORTS * Lanes.COUNT];
    for (int first = 0; first < inputs; first += LINE_SHORTS) {
      int count = Math.min(LINE_SHORTS, inputs - first);
      for (int lane = 0; lane < Lanes.COUNT; lane++) {
        int low = firstRow + lane;
        int high = low + Lanes.COUNT;
        long lowOffset = fromOffset + ((long) low * inputs + first) * Short.BYTES;
        long highOffset = fromOffset + ((long) high * inputs + first) * Short.BYTES;
        if (count == LINE_SHORTS && high < rows) {
          packLine(from, lowOffset, highOffset, block, lane);
        } else {
          for (int i = 0; i < count; i++) {
            long at = (long) i * Short.BYTES;
            short lowBits = low < rows ? from.get(JAVA_SHORT, lowOffset + at) : 0;
            short highBits = high < rows ? from.get(JAVA_SHORT, highOffset + at) : 0;
            block[i * Lanes.COUNT + lane] = (lowBits & 0xffff) | highBits << 16;
          }
        }
      }
      MemorySegment.copy(
          block, 0, to, JAVA_INT, toOffset + first * STRIP_BYTES, count * Lanes.COUNT);
    }
  }

  /** A line of two rows, four weights at a time. */
  private static void packLine(
      MemorySegment from, long lowOffset, long highOffset, int[] block, int lane) {
    for (int i = 0; i < LINE_SHORTS; i += 4) {
      long low = from.get(FOUR_SHORTS, lowOffset + (long) i * Short.BYTES);
      long high = from.get(FOUR_SHORTS, highOffset + (long) i * Short.BYTES);
      int at = i * Lanes.COUNT + lane;
      block[at] = (int) (low & 0xffff) | (int) high << 16;
      block[at + Lanes.COUNT] = (int) (low >>> 16 & 0xffff) | (int) (high >>> 16) << 16;
      block[at + 2 * Lanes.COUNT] = (int) (low >>> 32 & 0xffff) | (int) (high >>> 32) << 16;
      block[at + 3 * Lanes.COUNT] = (int) (low >>> 48) | (int) (high >>> 48) << 16;
    }
  }
}
