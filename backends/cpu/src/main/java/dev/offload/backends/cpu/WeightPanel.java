package dev.offload.backends.cpu;

import static jdk.incubator.vector.VectorOperators.GE;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.offload.tensors.DType;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Widens stretches of a plain panel (see {@link PanelLayout}) to F32, input by input, [count,
 * {@link TileKernel#COLUMNS}].
 */
final class WeightPanel {
  private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

  /** Exponents of F32 and F16 differ by 112 in bias. */
  private static final float HALF_SCALE = 0x1p112f;

  private static final int HALF_INFINITY = 0x7c00 << 13;
  private static final int UPPER_HALF = 0xffff_0000;
  private static final int N = Lanes.COUNT;

  private WeightPanel() {}

  /**
   * Widens into an array.
   *
   * @param inputs of the whole panel
   * @param first first input of the stretch
   * @param count inputs of the stretch
   */
  static void widen(
      MemorySegment panel, long offset, DType dtype, int inputs, int first, int count, float[] to) {
    if (dtype == DType.F32) {
      long from = offset + (long) first * TileKernel.COLUMNS * Float.BYTES;
      for (int i = 0; i < count * TileKernel.COLUMNS; i += N) {
        FloatVector.fromMemorySegment(Lanes.FLOATS, panel, from + (long) i * Float.BYTES, ORDER)
            .intoArray(to, i);
      }
      return;
    }
    for (int strip = 0; strip < PanelLayout.STRIPS; strip++) {
      long from = offset + PanelLayout.offset(strip, first, inputs);
      int at = strip * PanelLayout.STRIP;
      for (int i = 0; i < count; i++) {
        IntVector both = load(panel, from + i * PanelLayout.STRIP_BYTES);
        int target = at + i * TileKernel.COLUMNS;
        if (dtype == DType.BF16) {
          bf16Low(both).intoArray(to, target);
          bf16High(both).intoArray(to, target + N);
        } else {
          f16(both.and(0xffff)).intoArray(to, target);
          f16(both.lanewise(LSHR, 16)).intoArray(to, target + N);
        }
      }
    }
  }

  /** Widens 16-bit weights into native memory, from its start on; otherwise as above. */
  static void widen(
      MemorySegment panel,
      long offset,
      DType dtype,
      int inputs,
      int first,
      int count,
      MemorySegment to) {
    long rowBytes = (long) TileKernel.COLUMNS * Float.BYTES;
    long vectorBytes = (long) N * Float.BYTES;
    for (int strip = 0; strip < PanelLayout.STRIPS; strip++) {
      long from = offset + PanelLayout.offset(strip, first, inputs);
      long at = 2 * vectorBytes * strip;
      for (int i = 0; i < count; i++) {
        IntVector both = load(panel, from + i * PanelLayout.STRIP_BYTES);
        long target = at + i * rowBytes;
        if (dtype == DType.BF16) {
          bf16Low(both).intoMemorySegment(to, target, ORDER);
          bf16High(both).intoMemorySegment(to, target + vectorBytes, ORDER);
        } else {
          f16(both.and(0xffff)).intoMemorySegment(to, target, ORDER);
          f16(both.lanewise(LSHR, 16)).intoMemorySegment(to, target + vectorBytes, ORDER);
        }
      }
    }
  }

  private static IntVector load(MemorySegment panel, long offset) {
    return IntVector.fromMemorySegment(Lanes.INTS, panel, offset, ORDER);
  }

  private static FloatVector bf16Low(IntVector both) {
    return both.lanewise(LSHL, 16).reinterpretAsFloats();
  }

  private static FloatVector bf16High(IntVector both) {
    return both.and(UPPER_HALF).reinterpretAsFloats();
  }

  /**
   * Exponent and fraction are shifted into place and the product with a power of two corrects the
   * bias, for subnormal numbers too; infinities and NaN keep the largest exponent.
   */
  private static FloatVector f16(IntVector half) {
    IntVector magnitude = half.and(0x7fff).lanewise(LSHL, 13);
    IntVector sign = half.and(0x8000).lanewise(LSHL, 16);
    IntVector finite = magnitude.reinterpretAsFloats().mul(HALF_SCALE).reinterpretAsInts();
    return finite
        .blend(finite.or(0x7f80_0000), magnitude.compare(GE, HALF_INFINITY))
        .or(sign)
        .reinterpretAsFloats();
  }
}
