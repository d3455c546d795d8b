package dev.offload.backends.cpu;

import static jdk.incubator.vector.VectorOperators.GE;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_S2I;

import dev.offload.tensors.DType;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/** Widens stretches of a weight panel to F32; counts are multiples of 16. */
final class WeightPanel {
  private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

  /** Exponents of F32 and F16 differ by 112 in bias. */
  private static final float HALF_SCALE = 0x1p112f;

  private static final int HALF_INFINITY = 0x7c00 << 13;

  private WeightPanel() {}

  /** Widens into an array. */
  static void widen(MemorySegment from, long offset, DType dtype, float[] to, int count) {
    switch (dtype) {
      case F32 -> {
        for (int i = 0; i < count; i += Lanes.COUNT) {
          FloatVector.fromMemorySegment(Lanes.FLOATS, from, offset + 4L * i, ORDER)
              .intoArray(to, i);
        }
      }
      case BF16 -> {
        for (int i = 0; i < count; i += Lanes.COUNT) {
          bf16(from, offset + 2L * i).intoArray(to, i);
        }
      }
      case F16 -> {
        for (int i = 0; i < count; i += Lanes.COUNT) {
          f16(from, offset + 2L * i).intoArray(to, i);
        }
      }
    }
  }

  /** Widens 16-bit numbers into native memory, from its start on. */
  static void widen(MemorySegment from, long offset, DType dtype, MemorySegment to, int count) {
    if (dtype == DType.BF16) {
      for (int i = 0; i < count; i += Lanes.COUNT) {
        bf16(from, offset + 2L * i).intoMemorySegment(to, 4L * i, ORDER);
      }
    } else {
      for (int i = 0; i < count; i += Lanes.COUNT) {
        f16(from, offset + 2L * i).intoMemorySegment(to, 4L * i, ORDER);
      }
    }
  }

  private static FloatVector bf16(MemorySegment from, long offset) {
    return loadInts(from, offset).lanewise(LSHL, 16).reinterpretAsFloats();
  }

  /**
   * Exponent and fraction are shifted into place and the product with a power of two corrects the
   * bias, for subnormal numbers too; infinities and NaN keep the largest exponent.
   */
  private static FloatVector f16(MemorySegment from, long offset) {
    IntVector half = loadInts(from, offset);
    IntVector magnitude = half.and(0x7fff).lanewise(LSHL, 13);
    IntVector sign = half.and(0x8000).lanewise(LSHL, 16);
    IntVector finite = magnitude.reinterpretAsFloats().mul(HALF_SCALE).reinterpretAsInts();
    return finite
        .blend(finite.or(0x7f80_0000), magnitude.compare(GE, HALF_INFINITY))
        .or(sign)
        .reinterpretAsFloats();
  }

  private static IntVector loadInts(MemorySegment from, long offset) {
    return (IntVector)
        ShortVector.fromMemorySegment(Lanes.SHORTS, from, offset, ORDER)
            .convertShape(ZERO_EXTEND_S2I, Lanes.INTS, 0);
  }
}
