package dev.offload.backends.kernels;

import dev.offload.backends.api.KvBlocks;
import dev.offload.tensors.DType;
import java.util.Optional;

/**
 * What a work-group of attention_mma.cl computes at a time, whose sizes these are.
 *
 * @param warps of 32 work-items and {@value #WARP_VECTORS} query vectors each
 * @param localFloats local memory of the group
 */
record TensorCoreTile(int warps, long localFloats) {
  static final int WARP_ITEMS = 32;
  static final int WARP_VECTORS = 16;

  private static final int MOST_WARPS = 4;
  private static final int STEP_TOKENS = 32;
  private static final int PADDING = 8;

  /** More numbers of a value would not fit the registers. */
  private static final int MOST_DIM = 256;

  /**
   * The largest tile for a cache; empty if the kernel does not take it.
   *
   * @param vectors query vectors that go well together
   * @param runs of tokens in a span
   * @param localBytes that there are
   */
  static Optional<TensorCoreTile> of(
      KvBlocks.Format format, int vectors, int runs, int localBytes) {
    if (format.dtype() != DType.BF16
        || format.valuesInKeys()
        || !fits(format.headDim())
        || !fits(format.valueDim())) {
      return Optional.empty();
    }
    for (int warps = Math.clamp(Math.ceilDiv(vectors, WARP_VECTORS), 1, MOST_WARPS);
        warps > 0;
        warps--) {
      long floats = localFloats(format, warps, runs);
      if (floats * Float.BYTES <= localBytes) {
        return Optional.of(new TensorCoreTile(warps, floats));
      }
    }
    return Optional.empty();
  }

  private static boolean fits(int dim) {
    return dim % 16 == 0 && dim <= MOST_DIM;
  }

  private static long localFloats(KvBlocks.Format format, int warps, int runs) {
    int keys = format.headDim() * (STEP_TOKENS + PADDING) / 2;
    int values = STEP_TOKENS * (format.valueDim() + PADDING) / 2;
    long queries = (long) warps * WARP_VECTORS * (format.headDim() + PADDING + 1);
    return Math.max(keys, values) + queries + 2L * runs;
  }

  int vectors() {
    return warps * WARP_VECTORS;
  }

  int items() {
    return warps * WARP_ITEMS;
  }

  /** Numbers of BF16 that add up to one of a format: 24, 11 and 8 bits in parts of 8. */
  static int parts(DType queries) {
    return switch (queries) {
      case F32 -> 3;
      case F16 -> 2;
      case BF16 -> 1;
    };
  }
}
