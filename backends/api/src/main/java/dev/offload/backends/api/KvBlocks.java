package dev.offload.backends.api;

import dev.offload.tensors.DType;

/**
 * Blocks of a paged KV cache of one layer, in device memory: a view, which owns nothing. A block
 * holds the keys and values of {@code blockTokens} consecutive tokens of one sequence in {@code
 * Operations.kvBlockBytes} contiguous bytes; the order inside is the device's own. Block b begins
 * at {@code offset + b * blockBytes}.
 *
 * @param buffer where
 * @param offset byte offset of block 0, a multiple of 64
 * @param blocks number of blocks
 * @param format what a block is
 */
public record KvBlocks(DeviceBuffer buffer, long offset, int blocks, Format format) {

  /**
   * What a block is.
   *
   * @param dtype number format of keys and values, F32, F16 or BF16
   * @param blockTokens tokens per block
   * @param heads KV heads
   * @param headDim width of a key
   * @param valueDim width of a value
   * @param valuesInKeys the first {@code valueDim} numbers of a key are the value, and are there
   *     once
   */
  public record Format(
      DType dtype, int blockTokens, int heads, int headDim, int valueDim, boolean valuesInKeys) {
    public Format {
      if (valuesInKeys && valueDim > headDim) {
        throw new IllegalArgumentException(
            "values of width %d cannot lie in keys of width %d".formatted(valueDim, headDim));
      }
    }

    /** Keys and values that have nothing in common. */
    public Format(DType dtype, int blockTokens, int heads, int headDim, int valueDim) {
      this(dtype, blockTokens, heads, headDim, valueDim, false);
    }

    /** Numbers of one token: keys and values of all heads. */
    public int tokenNumbers() {
      return heads * (valuesInKeys ? headDim : headDim + valueDim);
    }
  }
}
