package dev.offload.backends.conformance;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.offload.tensors.DType;
import java.lang.foreign.MemorySegment;

/** Number formats, one number at a time. */
final class Numbers {
  private Numbers() {}

  /** The nearest number of a format, ties to even. */
  static double round(double value, DType dtype) {
    return switch (dtype) {
      case F32 -> (float) value;
      case F16 -> Float.float16ToFloat(Float.floatToFloat16((float) value));
      case BF16 -> Float.intBitsToFloat(toBf16((float) value) << 16);
    };
  }

  /** Largest error of rounding, relative to the value. */
  static double roundingShare(DType dtype) {
    return switch (dtype) {
      case F32 -> 0x1p-24;
      case F16 -> 0x1p-11;
      case BF16 -> 0x1p-8;
    };
  }

  /** Largest error of rounding next to zero. */
  static double smallestStep(DType dtype) {
    return switch (dtype) {
      case F32, BF16 -> 0x1p-126;
      case F16 -> 0x1p-25;
    };
  }

  static double get(MemorySegment segment, long offset, DType dtype) {
    return switch (dtype) {
      case F32 -> segment.get(JAVA_FLOAT_UNALIGNED, offset);
      case F16 -> Float.float16ToFloat(segment.get(JAVA_SHORT_UNALIGNED, offset));
      case BF16 -> Float.intBitsToFloat(segment.get(JAVA_SHORT_UNALIGNED, offset) << 16);
    };
  }

  static void set(MemorySegment segment, long offset, DType dtype, double value) {
    switch (dtype) {
      case F32 -> segment.set(JAVA_FLOAT_UNALIGNED, offset, (float) value);
      case F16 -> segment.set(JAVA_SHORT_UNALIGNED, offset, Float.floatToFloat16((float) value));
      case BF16 -> segment.set(JAVA_SHORT_UNALIGNED, offset, toBf16((float) value));
    }
  }

  private static short toBf16(float value) {
    if (Float.isNaN(value)) {
      return (short) 0x7FC0;
    }
    int bits = Float.floatToRawIntBits(value);
    int kept = bits >>> 16;
    int dropped = bits & 0xFFFF;
    boolean up = dropped > 0x8000 || (dropped == 0x8000 && (kept & 1) == 1);
    return (short) (up ? kept + 1 : kept);
  }
}
