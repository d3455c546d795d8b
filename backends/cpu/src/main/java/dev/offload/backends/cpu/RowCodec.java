package dev.offload.backends.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2S;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.S2I;

import dev.offload.tensors.DType;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Moves numbers between memory, in any format, and F32 scratch arrays. The one place that knows how
 * 16-bit floats are converted; narrowing rounds to nearest, ties to even.
 */
final class RowCodec {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int QUIET_BIT = 0x40;

  private static final int CACHE_LINE = 64;

  private RowCodec() {}

  /** Reads {@code count} numbers. */
  static void load(
      MemorySegment from, long offset, DType dtype, float[] to, int toIndex, int count) {
    switch (dtype) {
      case F32 -> loadF32(from, offset, to, toIndex, count);
      case BF16 -> loadBf16(from, offset, to, toIndex, count);
      case F16 -> loadF16Rows(from, offset, 1, count, to, toIndex, count);
    }
  }

  /** Reads {@code rows} adjacent runs of {@code count} numbers, each to its own place. */
  static void load(
      MemorySegment from,
      long offset,
      DType dtype,
      int rows,
      int count,
      float[] to,
      int toIndex,
      int toStride) {
    switch (dtype) {
      case F32 -> loadF32Rows(from, offset, rows, count, to, toIndex, toStride);
      case BF16 -> loadBf16Rows(from, offset, rows, count, to, toIndex, toStride);
      case F16 -> loadF16Rows(from, offset, rows, count, to, toIndex, toStride);
    }
  }

  /** Writes {@code count} numbers. */
  static void store(
      float[] from, int fromIndex, MemorySegment to, long offset, DType dtype, int count) {
    switch (dtype) {
      case F32 -> storeF32(from, fromIndex, to, offset, count);
      case BF16 -> storeBf16(from, fromIndex, to, offset, count);
      case F16 -> storeF16(from, fromIndex, to, offset, count);
    }
  }

  /** Writes numbers {@code strideBytes} apart. */
  static void scatter(
      float[] from,
      int fromIndex,
      MemorySegment to,
      long offset,
      DType dtype,
      long strideBytes,
      int count) {
    switch (dtype) {
      case F32 -> {
        for (int i = 0; i < count; i++) {
          to.set(JAVA_FLOAT, offset + i * strideBytes, from[fromIndex + i]);
        }
      }
      case BF16 -> {
        for (int i = 0; i < count; i++) {
          to.set(JAVA_SHORT, offset + i * strideBytes, toBf16(from[fromIndex + i]));
        }
      }
      case F16 -> {
        for (int i = 0; i < count; i++) {
          to.set(JAVA_SHORT, offset + i * strideBytes, Float.floatToFloat16(from[fromIndex + i]));
        }
      }
    }
  }

  /**
   * Reads a number of each cache line, so that the lines come in order and all at once; returns
   * something that depends on all of them.
   */
  static long touch(MemorySegment from, long offset, long bytes) {
    long all = 0;
    for (long i = 0; i < bytes; i += CACHE_LINE) {
      all += from.get(JAVA_BYTE, offset + i);
    }
    return all;
  }

  private static void loadF32(MemorySegment from, long offset, float[] to, int toIndex, int count) {
    int i = 0;
    for (int end = Lanes.FLOATS.loopBound(count); i < end; i += Lanes.COUNT) {
      FloatVector.fromMemorySegment(Lanes.FLOATS, from, offset + 4L * i, ORDER)
          .intoArray(to, toIndex + i);
    }
    for (; i < count; i++) {
      to[toIndex + i] = from.get(JAVA_FLOAT, offset + 4L * i);
    }
  }

  private static void loadBf16(
      MemorySegment from, long offset, float[] to, int toIndex, int count) {
    int i = 0;
    for (int end = Lanes.FLOATS.loopBound(count); i < end; i += Lanes.COUNT) {
      ShortVector.fromMemorySegment(Lanes.SHORTS, from, offset + 2L * i, ORDER)
          .convertShape(S2I, Lanes.INTS, 0)
          .lanewise(LSHL, 16)
          .reinterpretAsFloats()
          .intoArray(to, toIndex + i);
    }
    for (; i < count; i++) {
      to[toIndex + i] = Float.intBitsToFloat(from.get(JAVA_SHORT, offset + 2L * i) << 16);
    }
  }

  private static void loadF32Rows(
      MemorySegment from, long offset, int rows, int count, float[] to, int toIndex, int toStride) {
    int i = 0;
    // Rows innermost: a block's keys are rows of one vector, too short for a loop of their own.
    for (int end = Lanes.FLOATS.loopBound(count); i < end; i += Lanes.COUNT) {
      for (int row = 0; row < rows; row++) {
        FloatVector.fromMemorySegment(Lanes.FLOATS, from, offset + 4L * (row * count + i), ORDER)
            .intoArray(to, toIndex + row * toStride + i);
      }
    }
    for (; i < count; i++) {
      for (int row = 0; row < rows; row++) {
        to[toIndex + row * toStride + i] = from.get(JAVA_FLOAT, offset + 4L * (row * count + i));
      }
    }
  }

  private static void loadBf16Rows(
      MemorySegment from, long offset, int rows, int count, float[] to, int toIndex, int toStride) {
    int i = 0;
    for (int end = Lanes.FLOATS.loopBound(count); i < end; i += Lanes.COUNT) {
      for (int row = 0; row < rows; row++) {
        ShortVector.fromMemorySegment(Lanes.SHORTS, from, offset + 2L * (row * count + i), ORDER)
            .convertShape(S2I, Lanes.INTS, 0)
            .lanewise(LSHL, 16)
            .reinterpretAsFloats()
            .intoArray(to, toIndex + row * toStride + i);
      }
    }
    for (; i < count; i++) {
      for (int row = 0; row < rows; row++) {
        int bits = from.get(JAVA_SHORT, offset + 2L * (row * count + i)) << 16;
        to[toIndex + row * toStride + i] = Float.intBitsToFloat(bits);
      }
    }
  }

  private static void loadF16Rows(
      MemorySegment from, long offset, int rows, int count, float[] to, int toIndex, int toStride) {
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < count; i++) {
        short bits = from.get(JAVA_SHORT, offset + 2L * (row * count + i));
        to[toIndex + row * toStride + i] = Float.float16ToFloat(bits);
      }
    }
  }

  private static void storeF32(
      float[] from, int fromIndex, MemorySegment to, long offset, int count) {
    int i = 0;
    for (int end = Lanes.FLOATS.loopBound(count); i < end; i += Lanes.COUNT) {
      FloatVector.fromArray(Lanes.FLOATS, from, fromIndex + i)
          .intoMemorySegment(to, offset + 4L * i, ORDER);
    }
    for (; i < count; i++) {
      to.set(JAVA_FLOAT, offset + 4L * i, from[fromIndex + i]);
    }
  }

  private static void storeBf16(
      float[] from, int fromIndex, MemorySegment to, long offset, int count) {
    int i = 0;
    for (int end = Lanes.FLOATS.loopBound(count); i < end; i += Lanes.COUNT) {
      FloatVector value = FloatVector.fromArray(Lanes.FLOATS, from, fromIndex + i);
      IntVector bits = value.reinterpretAsInts();
      // Half an ulp less one is added, plus one where the last bit kept is odd.
      IntVector odd = bits.lanewise(LSHR, 16).and(1);
      IntVector rounded = bits.add(odd).add(0x7FFF).lanewise(ASHR, 16);
      IntVector quietNan = bits.lanewise(ASHR, 16).or(QUIET_BIT);
      VectorMask<Integer> nan = value.test(VectorOperators.IS_NAN).cast(Lanes.INTS);
      ((ShortVector) rounded.blend(quietNan, nan).convertShape(I2S, Lanes.SHORTS, 0))
          .intoMemorySegment(to, offset + 2L * i, ORDER);
    }
    for (; i < count; i++) {
      to.set(JAVA_SHORT, offset + 2L * i, toBf16(from[fromIndex + i]));
    }
  }

  private static void storeF16(
      float[] from, int fromIndex, MemorySegment to, long offset, int count) {
    for (int i = 0; i < count; i++) {
      to.set(JAVA_SHORT, offset + 2L * i, Float.floatToFloat16(from[fromIndex + i]));
    }
  }

  private static short toBf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) ((bits >> 16) | QUIET_BIT);
    }
    return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >> 16);
  }
}
