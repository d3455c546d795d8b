package dev.offload.tensors.weights;

import dev.offload.tensors.Conversion;
import dev.offload.tensors.DType;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Made-up weights for measurements: matrices uniform around 0, norm weights 1, biases 0. A number
 * depends on the seed, its tensor and its place there alone: not on what was read before, nor on
 * how the tensor is cut into parts, nor on the number of threads.
 */
public final class RandomSource implements WeightSource {
  /** Numbers made at a time; with their halves they fill half of a first-level cache. */
  private static final int CHUNK = 2048;

  /** Fewer numbers are not worth another thread. */
  private static final long LEAST_PER_THREAD = 1 << 18;

  private final long seed;
  private final float scale;
  private final int threads;

  /**
   * A source.
   *
   * @param std standard deviation of matrix elements
   * @param threads how many make the numbers of a large matrix
   */
  public RandomSource(long seed, float std, int threads) {
    this.seed = seed;
    // A 24-bit signed number is uniform on [-2^23, 2^23), whose deviation is 2^23 / sqrt(3).
    this.scale = (float) (std * Math.sqrt(3) / (1 << 23));
    this.threads = threads;
  }

  @Override
  public void read(Parameter parameter, DType as, MemorySegment to) {
    WeightSource.checkSize(parameter, as, to);
    if (!parameter.isMatrix()) {
      readVector(parameter.role(), as, to);
      return;
    }
    long offset = 0;
    for (Part part : parameter.parts()) {
      long bytes = (long) part.rows() * part.columns() * as.bytes();
      read(part, as, to.asSlice(offset, bytes));
      offset += bytes;
    }
  }

  /**
   * Numbers of a tensor that holds matrices, in the order of the checkpoint.
   *
   * @param first the first number's place in the tensor
   */
  void readTensor(String tensor, long first, DType as, MemorySegment to) {
    randomise(key(tensor), first, 1, as, to);
  }

  /** Numbers of a tensor that holds vectors. */
  static void readVector(Role role, DType as, MemorySegment to) {
    fill(to, as, role.isNormWeight() ? 1 : 0);
  }

  private void read(Part part, DType as, MemorySegment to) {
    int key = key(part.tensor());
    long first = part.firstElement();
    if (part.isContiguous()) {
      randomise(key, first, 1, as, to);
      return;
    }
    long rowBytes = (long) part.columns() * as.bytes();
    for (int row = 0; row < part.rows(); row++) {
      long steps = (long) row * part.rowStep();
      MemorySegment target = to.asSlice(row * rowBytes, rowBytes);
      if (part.transposed()) {
        randomise(key, first + part.firstRow() + steps, part.tensorRows(), as, target);
      } else {
        randomise(key, first + steps * part.columns(), 1, as, target);
      }
    }
  }

  /** Numbers at the places {@code first}, {@code first + step} … of a tensor. */
  private void randomise(int key, long first, int step, DType as, MemorySegment to) {
    long count = to.byteSize() / as.bytes();
    long share = Math.max(LEAST_PER_THREAD, (count + threads - 1) / threads);
    List<FutureTask<Void>> helpers = new ArrayList<>();
    for (long begin = share; begin < count; begin += share) {
      long start = begin;
      long length = Math.min(share, count - begin);
      MemorySegment target = to.asSlice(begin * as.bytes(), length * as.bytes());
      FutureTask<Void> helper =
          new FutureTask<>(() -> run(key, first + start * step, step, as, target), null);
      helpers.add(helper);
      Thread.ofPlatform().name("offload-random").start(helper);
    }
    run(key, first, step, as, to.asSlice(0, Math.min(share, count) * as.bytes()));
    helpers.forEach(RandomSource::await);
  }

  private void run(int key, long first, int step, DType as, MemorySegment to) {
    float[] chunk = new float[CHUNK];
    MemorySegment values = MemorySegment.ofArray(chunk);
    long count = to.byteSize() / as.bytes();
    for (long done = 0; done < count; done += CHUNK) {
      numbers(key, (int) (first + done * step), step, chunk);
      long length = Math.min(CHUNK, count - done);
      Conversion.copy(values, 0, DType.F32, to, done * as.bytes(), as, length);
    }
  }

  /**
   * The finaliser of MurmurHash3 (32 bits) of each place. Tensors of more than 2^32 numbers repeat
   * themselves.
   */
  private void numbers(int key, int first, int step, float[] to) {
    for (int i = 0; i < to.length; i++) {
      int x = (first + i * step) ^ key;
      x = (x ^ x >>> 16) * 0x85EB_CA6B;
      x = (x ^ x >>> 13) * 0xC2B2_AE35;
      x ^= x >>> 16;
      to[i] = (x >> 8) * scale;
    }
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

  private int key(String tensor) {
    long key = seed;
    for (int i = 0; i < tensor.length(); i++) {
      key = mix(key + tensor.charAt(i));
    }
    return (int) key;
  }

  /** Finaliser of MurmurHash3 (64 bits), which lets every bit of the input change every bit. */
  private static long mix(long bits) {
    long x = bits + 0x9E37_79B9_7F4A_7C15L;
    x = (x ^ x >>> 33) * 0xFF51_AFD7_ED55_8CCDL;
    x = (x ^ x >>> 33) * 0xC4CE_B9FE_1A85_EC53L;
    return x ^ x >>> 33;
  }

  private static void await(FutureTask<Void> helper) {
    boolean interrupted = false;
    while (true) {
      try {
        helper.get();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      } catch (ExecutionException e) {
        throw new IllegalStateException("random weights could not be made", e.getCause());
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
