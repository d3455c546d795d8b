package dev.offload.tensors.weights;

import dev.offload.tensors.Conversion;
import dev.offload.tensors.DType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Made-up weights for measurements: matrices uniform around 0, norm weights 1, biases 0. The same
 * seed and tensor always give the same numbers, whatever was read before.
 */
public final class RandomSource implements WeightSource {
  private static final int CHUNK = 8192;
  private static final VectorSpecies<Integer> WORDS = IntVector.SPECIES_PREFERRED;
  private static final IntVector STEPS = IntVector.zero(WORDS).addIndex(1);

  private final long seed;
  private final float scale;

  /**
   * A source.
   *
   * @param std standard deviation of matrix elements
   */
  public RandomSource(long seed, float std) {
    this.seed = seed;
    // A 24-bit signed number is uniform on [-2^23, 2^23), whose deviation is 2^23 / sqrt(3).
    scale = (float) (std * Math.sqrt(3) / (1 << 23));
  }

  @Override
  public void read(Parameter parameter, DType as, MemorySegment to) {
    WeightSource.checkSize(parameter, as, to);
    if (!parameter.isMatrix()) {
      fill(to, as, isNormWeight(parameter.role()) ? 1 : 0);
      return;
    }
    long offset = 0;
    for (Part part : parameter.parts()) {
      long elements = (long) part.rows() * part.columns();
      randomise(to, offset, as, elements, key(part));
      offset += elements * as.bytes();
    }
  }

  private static boolean isNormWeight(Role role) {
    return switch (role) {
      case ATTENTION_NORM,
          ATTENTION_POST_NORM,
          QUERY_NORM,
          KEY_NORM,
          FEED_FORWARD_NORM,
          FEED_FORWARD_POST_NORM,
          FINAL_NORM ->
          true;
      default -> false;
    };
  }

  private static void fill(MemorySegment to, DType as, float value) {
    float[] chunk = new float[CHUNK];
    Arrays.fill(chunk, value);
    MemorySegment values = MemorySegment.ofArray(chunk);
    long count = to.byteSize() / as.bytes();
    for (long done = 0; done < count; done += CHUNK) {
      long length = Math.min(CHUNK, count - done);
      Conversion.copy(values, 0, DType.F32, to, done * as.bytes(), as, length);
    }
  }

  private void randomise(MemorySegment to, long offset, DType as, long count, long key) {
    float[] chunk = new float[CHUNK];
    MemorySegment values = MemorySegment.ofArray(chunk);
    for (long done = 0; done < count; done += CHUNK) {
      int first = (int) mix(key + done);
      for (int i = 0; i < CHUNK; i += WORDS.length()) {
        FloatVector numbers =
            (FloatVector)
                scramble(STEPS.add(first + i))
                    .lanewise(VectorOperators.ASHR, 8)
                    .convert(VectorOperators.I2F, 0);
        numbers.mul(scale).intoArray(chunk, i);
      }
      long length = Math.min(CHUNK, count - done);
      Conversion.copy(values, 0, DType.F32, to, offset + done * as.bytes(), as, length);
    }
  }

  private long key(Part part) {
    long key = seed;
    for (int i = 0; i < part.tensor().length(); i++) {
      key = mix(key + part.tensor().charAt(i));
    }
    return mix(mix(key + part.slab()) + part.firstRow());
  }

  /** Finaliser of MurmurHash3 (32 bits), which lets every bit of the input change every bit. */
  private static IntVector scramble(IntVector bits) {
    IntVector x = bits;
    x = x.lanewise(VectorOperators.LSHR, 16).lanewise(VectorOperators.XOR, x).mul(0x85EB_CA6B);
    x = x.lanewise(VectorOperators.LSHR, 13).lanewise(VectorOperators.XOR, x).mul(0xC2B2_AE35);
    return x.lanewise(VectorOperators.LSHR, 16).lanewise(VectorOperators.XOR, x);
  }

  /** The same for 64 bits. */
  private static long mix(long bits) {
    long x = bits + 0x9E37_79B9_7F4A_7C15L;
    x = (x ^ x >>> 33) * 0xFF51_AFD7_ED55_8CCDL;
    x = (x ^ x >>> 33) * 0xC4CE_B9FE_1A85_EC53L;
    return x ^ x >>> 33;
  }
}
