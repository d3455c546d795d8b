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

  /** Weights of F32 in a cache line. */
  private static final int LINE_INTS = 16;

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
    long rowBytes = (long) inputs * Short.BYTES;
    StripPacking whole = new StripPacking(from, rowBytes, to);
    for (int strip = 0; strip < STRIPS; strip++) {
      long source = fromOffset + (long) strip * STRIP * rowBytes;
      long target = toOffset + offset(strip, 0, inputs);
      int left = rows - strip * STRIP;
      int packed = left >= STRIP ? whole.pack(source, inputs, target) : 0;
      packRest(from, source, left, inputs, packed, to, target);
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
   * What is not a whole block of a whole strip: weight by weight; rows beyond the last are zero.
   */
  private static void packRest(
      MemorySegment from,
      long fromOffset,
      int rows,
      int inputs,
      int firstInput,
      MemorySegment to,
      long toOffset) {
    for (int input = firstInput; input < inputs; input++) {
      for (int lane = 0; lane < Lanes.COUNT; lane++) {
        int low = weight(from, fromOffset, lane, rows, inputs, input);
        int high = weight(from, fromOffset, lane + Lanes.COUNT, rows, inputs, input);
        long at = toOffset + input * STRIP_BYTES + (long) lane * Integer.BYTES;
        to.set(JAVA_INT, at, low | high << Short.SIZE);
      }
    }
  }

  private static int weight(
      MemorySegment from, long fromOffset, int row, int rows, int inputs, int input) {
    return row < rows
        ? from.get(JAVA_SHORT, fromOffset + ((long) row * inputs + input) * Short.BYTES) & 0xffff
        : 0;
  }
}
