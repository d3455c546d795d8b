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
 *
 * <p>Kernels use {@code fma} freely: every x86 with AVX2 and every 64-bit ARM has it in hardware.
 */
final class Lanes {
  static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
  static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;

  /** As many 16-bit numbers as {@link #FLOATS} has lanes. */
  static final VectorSpecies<Short> SHORTS =
      VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));

  /** Numbers per vector. */
  static final int COUNT = FLOATS.length();

  private Lanes() {}

  /** The next multiple of {@link #COUNT}. */
  static int padded(int count) {
    return (count + COUNT - 1) / COUNT * COUNT;
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
