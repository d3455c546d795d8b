package dev.offload.tensors;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Copies numbers from one format to another, rounding to the nearest, ties to even. Memory need not
 * be aligned.
 *
 * <p>Works through small heap arrays, which stay in the first-level cache: loops over arrays are
 * what the compiler turns into vector instructions most reliably. Only the loop to bfloat16 has to
 * be spelled out in vectors; the compiler leaves it scalar.
 */
public final class Conversion {
  private static final int CHUNK = 2048;
  private static final VectorSpecies<Integer> WORDS = IntVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Short> HALVES =
      VectorSpecies.of(short.class, VectorShape.forBitSize(WORDS.vectorBitSize() / 2));
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

  private Conversion() {}

  /**
   * Copies {@code count} numbers; the two ranges may not overlap unless formats are equal.
   *
   * @param fromOffset byte offset in {@code from}
   * @param toOffset byte offset in {@code to}
   * @throws IndexOutOfBoundsException if a range is not inside its segment
   */
  public static void copy(
      MemorySegment from,
      long fromOffset,
      DType fromType,
      MemorySegment to,
      long toOffset,
      DType toType,
      long count) {
    if (fromType == toType) {
      MemorySegment.copy(from, fromOffset, to, toOffset, count * fromType.bytes());
      return;
    }
    short[] halves = new short[CHUNK];
    int[] words = new int[CHUNK];
    for (long done = 0; done < count; done += CHUNK) {
      int length = (int) Math.min(CHUNK, count - done);
      load(from, fromOffset + done * fromType.bytes(), fromType, halves, words, length);
      store(to, toOffset + done * toType.bytes(), toType, halves, words, length);
    }
  }

  /** Reads numbers as bits of binary32 into {@code words}. */
  private static void load(
      MemorySegment from, long offset, DType type, short[] halves, int[] words, int length) {
    switch (type) {
      case F32 -> MemorySegment.copy(from, INT, offset, words, 0, length);
      case F16 -> {
        MemorySegment.copy(from, SHORT, offset, halves, 0, length);
        for (int i = 0; i < length; i++) {
          words[i] = Float.floatToRawIntBits(Float.float16ToFloat(halves[i]));
        }
      }
      case BF16 -> {
        MemorySegment.copy(from, SHORT, offset, halves, 0, length);
        for (int i = 0; i < length; i++) {
          words[i] = halves[i] << 16;
        }
      }
    }
  }

  /** Writes numbers from bits of binary32. */
  private static void store(
      MemorySegment to, long offset, DType type, short[] halves, int[] words, int length) {
    switch (type) {
      case F32 -> MemorySegment.copy(words, 0, to, INT, offset, length);
      case F16 -> {
        for (int i = 0; i < length; i++) {
          halves[i] = Float.floatToFloat16(Float.intBitsToFloat(words[i]));
        }
        MemorySegment.copy(halves, 0, to, SHORT, offset, length);
      }
      case BF16 -> {
        roundToBfloat16(words, halves, length);
        MemorySegment.copy(halves, 0, to, SHORT, offset, length);
      }
    }
  }

  private static void roundToBfloat16(int[] words, short[] halves, int length) {
    int i = 0;
    for (; i < WORDS.loopBound(length); i += WORDS.length()) {
      IntVector bits = IntVector.fromArray(WORDS, words, i);
      IntVector upper = bits.lanewise(VectorOperators.LSHR, 16);
      IntVector rounded = bits.add(0x7FFF).add(upper.and(1)).lanewise(VectorOperators.LSHR, 16);
      VectorMask<Integer> nan = bits.and(0x7FFF_FFFF).compare(VectorOperators.GT, 0x7F80_0000);
      rounded
          .blend(upper.or(0x40), nan)
          .convertShape(VectorOperators.I2S, HALVES, 0)
          .reinterpretAsShorts()
          .intoArray(halves, i);
    }
    for (; i < length; i++) {
      halves[i] = toBfloat16(words[i]);
    }
  }

  /** The bfloat16 nearest to a binary32, both as bits; NaN stays NaN. */
  static short toBfloat16(int bits) {
    int rounded = (bits + 0x7FFF + (bits >>> 16 & 1)) >>> 16;
    int quietNan = bits >>> 16 | 0x40;
    return (short) ((bits & 0x7FFF_FFFF) > 0x7F80_0000 ? quietNan : rounded);
  }
}
