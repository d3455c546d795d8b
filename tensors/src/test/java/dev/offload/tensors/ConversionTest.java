package dev.offload.tensors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigDecimal;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ConversionTest {
  @Test
  void shouldKeepEveryHalfThroughBinary32() {
    for (DType type : new DType[] {DType.F16, DType.BF16}) {
      MemorySegment all = MemorySegment.ofArray(new byte[2 << 16]);
      for (int bits = 0; bits < 1 << 16; bits++) {
        all.set(ValueLayout.JAVA_SHORT_UNALIGNED, bits * 2L, (short) bits);
      }
      MemorySegment wide = MemorySegment.ofArray(new byte[4 << 16]);
      MemorySegment back = MemorySegment.ofArray(new byte[2 << 16]);
      Conversion.copy(all, 0, type, wide, 0, DType.F32, 1 << 16);
      Conversion.copy(wide, 0, DType.F32, back, 0, type, 1 << 16);
      for (int bits = 0; bits < 1 << 16; bits++) {
        float value = wide.get(ValueLayout.JAVA_FLOAT_UNALIGNED, bits * 4L);
        short found = back.get(ValueLayout.JAVA_SHORT_UNALIGNED, bits * 2L);
        if (!Float.isNaN(value)) {
          assertEquals((short) bits, found, type + " " + Integer.toHexString(bits));
        }
      }
    }
  }

  @Test
  void shouldRoundToTheNearestBfloat16AndTiesToEven() {
    Random random = new Random(1);
    for (int i = 0; i < 20_000; i++) {
      float value = Float.intBitsToFloat(random.nextInt());
      if (!Float.isFinite(value) || Math.abs(value) > 3e38f) {
        continue;
      }
      short found = bfloat16(value);
      int below = Float.floatToRawIntBits(value) & 0xFFFF_0000;
      float low = Float.intBitsToFloat(below);
      float high = Float.intBitsToFloat(below + 0x1_0000);
      BigDecimal toLow = new BigDecimal(value).subtract(new BigDecimal(low)).abs();
      BigDecimal toHigh = new BigDecimal(high).subtract(new BigDecimal(value)).abs();
      int compared = toLow.compareTo(toHigh);
      int expected =
          compared < 0 || (compared == 0 && (below >>> 16 & 1) == 0)
              ? below >>> 16
              : (below >>> 16) + 1;
      assertEquals((short) expected, found, () -> "of " + value);
    }
    assertEquals((short) 0x3F80, bfloat16(Float.intBitsToFloat(0x3F80_8000)));
    assertEquals((short) 0x3F82, bfloat16(Float.intBitsToFloat(0x3F81_8000)));
    assertEquals((short) 0x7F80, bfloat16(Float.MAX_VALUE));
    assertEquals((short) 0xFF80, bfloat16(Float.NEGATIVE_INFINITY));
    assertTrue((bfloat16(Float.intBitsToFloat(0x7F80_0001)) & 0x7FFF) > 0x7F80, "NaN stays NaN");
  }

  @Test
  void shouldConvertAnyLengthAtAnyOffset() {
    Random random = new Random(2);
    for (int count : new int[] {0, 1, 13, 207, 2047, 2048, 2049, 4098, 10_000}) {
      for (DType from : DType.values()) {
        for (DType to : DType.values()) {
          MemorySegment source = MemorySegment.ofArray(new byte[count * from.bytes() + 3]);
          for (int i = 0; i < count; i++) {
            write(source, 3 + (long) i * from.bytes(), from, random.nextInt(-128, 128) / 8f);
          }
          MemorySegment target = MemorySegment.ofArray(new byte[count * to.bytes() + 2]);
          target.fill((byte) 7);
          Conversion.copy(source, 3, from, target, 1, to, count);
          for (int i = 0; i < count; i++) {
            assertEquals(
                read(source, 3 + (long) i * from.bytes(), from),
                read(target, 1 + (long) i * to.bytes(), to));
          }
          assertEquals(7, target.get(ValueLayout.JAVA_BYTE, 0));
          assertEquals(7, target.get(ValueLayout.JAVA_BYTE, target.byteSize() - 1));
        }
      }
    }
  }

  @Test
  void shouldRefuseToLeaveASegment() {
    MemorySegment small = MemorySegment.ofArray(new byte[8]);
    MemorySegment large = MemorySegment.ofArray(new byte[80]);
    assertThrows(
        IndexOutOfBoundsException.class,
        () -> Conversion.copy(small, 0, DType.F32, large, 0, DType.BF16, 3));
    assertThrows(
        IndexOutOfBoundsException.class,
        () -> Conversion.copy(large, 0, DType.F32, small, 0, DType.BF16, 5));
  }

  private static short bfloat16(float value) {
    return Conversion.toBfloat16(Float.floatToRawIntBits(value));
  }

  private static void write(MemorySegment to, long offset, DType type, float value) {
    switch (type) {
      case F32 -> to.set(ValueLayout.JAVA_FLOAT_UNALIGNED, offset, value);
      case F16 -> to.set(ValueLayout.JAVA_SHORT_UNALIGNED, offset, Float.floatToFloat16(value));
      case BF16 ->
          to.set(
              ValueLayout.JAVA_SHORT_UNALIGNED,
              offset,
              (short) (Float.floatToRawIntBits(value) >>> 16));
    }
  }

  private static float read(MemorySegment from, long offset, DType type) {
    return switch (type) {
      case F32 -> from.get(ValueLayout.JAVA_FLOAT_UNALIGNED, offset);
      case F16 -> Float.float16ToFloat(from.get(ValueLayout.JAVA_SHORT_UNALIGNED, offset));
      case BF16 -> Float.intBitsToFloat(from.get(ValueLayout.JAVA_SHORT_UNALIGNED, offset) << 16);
    };
  }
}
