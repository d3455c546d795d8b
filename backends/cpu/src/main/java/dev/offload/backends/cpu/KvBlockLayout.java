package dev.offload.backends.cpu;

import dev.offload.backends.api.KvBlocks;
import dev.offload.tensors.DType;

/**
 * What a KV block looks like on this device. Head by head, keys then values:
 *
 * <pre>
 *   head 0: keys   [headDim][blockTokens]    one key dimension of all tokens is a vector
 *           values [blockTokens][valueDim]   one value is a run of vectors; none if they lie in keys
 *   head 1: …
 * </pre>
 *
 * Keys lie across, so that the scores of a block's tokens are computed side by side without summing
 * across lanes; and all that one head reads of a block is contiguous. A block is padded to a
 * multiple of {@value #ALIGNMENT} bytes.
 */
record KvBlockLayout(
    DType dtype, int blockTokens, int heads, int headDim, int valueDim, boolean valuesInKeys) {
  /** Tokens per block: a vector of them, so that keys are read in the order they lie in. */
  static final int BEST_BLOCK_TOKENS = Math.max(8, Lanes.COUNT);

  private static final int ALIGNMENT = 64;

  KvBlockLayout {
    if (blockTokens < 1 || heads < 1 || headDim < 1 || valueDim < 1) {
      throw new IllegalArgumentException(
          "KV block of %d tokens, %d heads, key width %d, value width %d: all must be at least 1"
              .formatted(blockTokens, heads, headDim, valueDim));
    }
  }

  static KvBlockLayout of(KvBlocks.Format format) {
    return new KvBlockLayout(
        format.dtype(),
        format.blockTokens(),
        format.heads(),
        format.headDim(),
        format.valueDim(),
        format.valuesInKeys());
  }

  long blockBytes() {
    long bytes = heads * headBytes();
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  /** Bytes from the start of a block to the keys of a head. */
  long keysOffset(int head) {
    return head * headBytes();
  }

  /** Bytes from the start of a block to the values of a head. */
  long valuesOffset(int head) {
    return keysOffset(head) + (long) headDim * blockTokens * dtype.bytes();
  }

  /** Bytes from the start of a block to the first dimension of a key. */
  long keyOffset(int head, int token) {
    return keysOffset(head) + (long) token * dtype.bytes();
  }

  /** Bytes from one dimension of a key to the next. */
  long keyStrideBytes() {
    return (long) blockTokens * dtype.bytes();
  }

  /** Bytes from the start of a block to a value. */
  long valueOffset(int head, int token) {
    return valuesOffset(head) + (long) token * valueDim * dtype.bytes();
  }

  private long headBytes() {
    int numbers = valuesInKeys ? headDim : headDim + valueDim;
    return (long) numbers * blockTokens * dtype.bytes();
  }
}
