package dev.offload.backends.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** On every processor, unlike the products in which oneDNN packs the weights. */
class PairedRowsKernelTest {
  private static final int COLUMNS = TileKernel.COLUMNS;
  private static final int GAP = 5;
  private static final float CANARY = 12345;

  private final Arena arena = Arena.ofConfined();
  private final Random random = new Random(7);

  @AfterEach
  void free() {
    arena.close();
  }

  @ParameterizedTest
  @CsvSource({"1, 2", "1, 960", "2, 64", "3, 130", "4, 34", "4, 1024"})
  void shouldMultiplyAndAddAndLeaveTheRestAlone(int rows, int inputs) {
    MemorySegment x = randomNumbers(rows * (inputs + GAP));
    MemorySegment rowMajor = randomNumbers(COLUMNS * inputs);
    MemorySegment panel = inPairs(rowMajor, inputs);
    int stride = COLUMNS + GAP;
    MemorySegment out = arena.allocate((long) rows * stride * Float.BYTES, 64);
    for (int i = 0; i < rows * stride; i++) {
      out.setAtIndex(ValueLayout.JAVA_FLOAT, i, CANARY);
    }
    int at = 3; // of scratch that other kernels share
    float[] scratch = new float[at + PairedRowsKernel.widenedNumbers(inputs)];
    TileKernel kernel =
        new PairedRowsKernel(
            x,
            0,
            inputs + GAP,
            rows,
            inputs,
            scratch,
            at,
            PairedRowsKernel.newScratches(Plenty.budget()));
    for (int times = 1; times <= 2; times++) {
      kernel.multiply(panel, 0, out, 0, stride, times == 2);
      for (int row = 0; row < rows; row++) {
        for (int column = 0; column < COLUMNS; column++) {
          double sum = 0;
          for (int k = 0; k < inputs; k++) {
            sum +=
                (double) number(x, row * (inputs + GAP) + k)
                    * number(rowMajor, column * inputs + k);
          }
          assertEquals(
              times * sum,
              out.getAtIndex(ValueLayout.JAVA_FLOAT, row * stride + column),
              1e-5 * inputs,
              "row %d, column %d".formatted(row, column));
        }
        for (int column = COLUMNS; column < stride; column++) {
          assertEquals(CANARY, out.getAtIndex(ValueLayout.JAVA_FLOAT, row * stride + column));
        }
      }
    }
  }

  @Test
  void shouldTellPairsFromOtherOrders() {
    int inputs = 34;
    MemorySegment rowMajor = randomNumbers(COLUMNS * inputs);
    assertTrue(PairedRowsKernel.isPaired(rowMajor, inputs, inPairs(rowMajor, inputs)));
    assertFalse(PairedRowsKernel.isPaired(rowMajor, inputs, rowMajor));
    MemorySegment swapped = inPairs(rowMajor, inputs);
    short first = swapped.getAtIndex(ValueLayout.JAVA_SHORT, 0);
    swapped.setAtIndex(ValueLayout.JAVA_SHORT, 0, swapped.getAtIndex(ValueLayout.JAVA_SHORT, 1));
    swapped.setAtIndex(ValueLayout.JAVA_SHORT, 1, first);
    assertFalse(PairedRowsKernel.isPaired(rowMajor, inputs, swapped));
    assertFalse(PairedRowsKernel.isPaired(rowMajor, inputs - 1, inPairs(rowMajor, inputs)));
  }

  /** BF16 numbers between -1 and 1. */
  private MemorySegment randomNumbers(int count) {
    MemorySegment numbers = arena.allocate(count * (long) Short.BYTES, 64);
    for (int i = 0; i < count; i++) {
      int bits = Float.floatToRawIntBits(random.nextFloat() * 2 - 1);
      numbers.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) (bits >>> 16));
    }
    return numbers;
  }

  private static float number(MemorySegment numbers, int index) {
    return Float.intBitsToFloat(numbers.getAtIndex(ValueLayout.JAVA_SHORT, index) << 16);
  }

  private MemorySegment inPairs(MemorySegment rowMajor, int inputs) {
    MemorySegment panel = arena.allocate(rowMajor.byteSize(), 64);
    for (int output = 0; output < COLUMNS; output++) {
      for (int input = 0; input < inputs; input++) {
        short weight = rowMajor.getAtIndex(ValueLayout.JAVA_SHORT, output * inputs + input);
        panel.setAtIndex(
            ValueLayout.JAVA_SHORT, (input / 2 * COLUMNS + output) * 2L + input % 2, weight);
      }
    }
    return panel;
  }
}
