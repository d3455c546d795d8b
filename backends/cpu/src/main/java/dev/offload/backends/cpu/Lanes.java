package dev.offload.backends.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The vector shapes of all kernels: the widest the machine has. Tests get other widths with {@code
 * -XX:MaxVectorSize}.
 *
 * <p>Kernels compute on F32 scratch that is padded to whole vectors ({@link #padded}), so that
 * their loops need no tails. Sums across lanes go through {@link #sum}: the order of {@code
 * reduceLanes(ADD)} differs between interpreted and compiled code, and results must not change when
 * a method gets compiled.
 */
final class Lanes {
  static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
  static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;

  /** As many 16-bit numbers as {@link #FLOATS} has lanes. */
  static final VectorSpecies<Short> SHORTS =
      VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));

  /** Numbers per vector. */
  static final int COUNT = FLOATS.length();

  /**
   * Whether the hardware has a fused multiply-add; without it {@link FloatVector#fma} is emulated,
   * a thousand times slower. Every x86 with vectors of 256 bits that this engine meets has it,
   * every 64-bit ARM too.
   */
  private static final boolean FUSED =
      FLOATS.vectorBitSize() >= 256 || System.getProperty("os.arch").equals("aarch64");

  private Lanes() {}

  /** The next multiple of {@link #COUNT}. */
  static int padded(int count) {
    return (count + COUNT - 1) / COUNT * COUNT;
  }

  /** {@code a * b + c}, in one rounding where that is fast. */
  static FloatVector fma(FloatVector a, FloatVector b, FloatVector c) {
    return FUSED ? a.fma(b, c) : a.mul(b).add(c);
  }

  /** Sum across lanes in a fixed order; overwrites {@link #COUNT} numbers of {@code scratch}. */
  static float sum(FloatVector vector, float[] scratch, int at) {
    vector.intoArray(scratch, at);
    return sum(scratch, at);
  }

  /** Sum of {@link #COUNT} numbers in a fixed order; overwrites them. */
  static float sum(float[] numbers, int at) {
    for (int half = COUNT / 2; half > 0; half /= 2) {
      for (int i = at; i < at + half; i++) {
        numbers[i] += numbers[i + half];
      }
    }
    return numbers[at];
  }
}
