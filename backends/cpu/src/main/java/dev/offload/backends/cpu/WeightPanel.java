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

/** Widens stretches of a weight panel to F32 scratch, whose size is a multiple of 16 numbers. */
final class WeightPanel {
  private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

  /** Exponents of F32 and F16 differ by 112 in bias. */
  private static final float HALF_SCALE = 0x1p112f;

  private static final int HALF_INFINITY = 0x7c00 << 13;

  private WeightPanel() {}

  static void widen(MemorySegment from, long offset, DType dtype, float[] to, int count) {
    switch (dtype) {
      case F32 -> copyF32(from, offset, to, count);
      case BF16 -> widenBf16(from, offset, to, count);
      case F16 -> widenF16(from, offset, to, count);
    }
  }

  private static void copyF32(MemorySegment from, long offset, float[] to, int count) {
    for (int i = 0; i < count; i += Lanes.COUNT) {
      FloatVector.fromMemorySegment(Lanes.FLOATS, from, offset + 4L * i, ORDER).intoArray(to, i);
    }
  }

  private static void widenBf16(MemorySegment from, long offset, float[] to, int count) {
    for (int i = 0; i < count; i += Lanes.COUNT) {
      loadInts(from, offset + 2L * i).lanewise(LSHL, 16).reinterpretAsFloats().intoArray(to, i);
    }
  }

  /**
   * Exponent and fraction are shifted into place and the product with a power of two corrects the
   * bias, for subnormal numbers too; infinities and NaN keep the largest exponent.
   */
  private static void widenF16(MemorySegment from, long offset, float[] to, int count) {
    for (int i = 0; i < count; i += Lanes.COUNT) {
      IntVector half = loadInts(from, offset + 2L * i);
      IntVector magnitude = half.and(0x7fff).lanewise(LSHL, 13);
      IntVector sign = half.and(0x8000).lanewise(LSHL, 16);
      IntVector finite = magnitude.reinterpretAsFloats().mul(HALF_SCALE).reinterpretAsInts();
      finite
          .blend(finite.or(0x7f80_0000), magnitude.compare(GE, HALF_INFINITY))
          .or(sign)
          .reinterpretAsFloats()
          .intoArray(to, i);
    }
  }

  private static IntVector loadInts(MemorySegment from, long offset) {
    return (IntVector)
        ShortVector.fromMemorySegment(Lanes.SHORTS, from, offset, ORDER)
            .convertShape(ZERO_EXTEND_S2I, Lanes.INTS, 0);
  }
}
