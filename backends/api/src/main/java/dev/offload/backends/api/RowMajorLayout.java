package dev.offload.backends.api;

import dev.offload.tensors.DType;

/**
 * Weights as they come from files, multiplied by rows of the same format, and cache blocks without
 * padding: what graphics processors do.
 *
 * @param kvBlockTokens tokens per block
 * @param streamScratchBytes of the budget, for a stream that computes, whatever it computes
 */
public record RowMajorLayout(int kvBlockTokens, long streamScratchBytes) implements DataLayout {
  @Override
  public long packedBytes(DType dtype, int outputs, int inputs) {
    return (long) outputs * inputs * dtype.bytes();
  }

  @Override
  public boolean packs(DType dtype, int outputs, int inputs) {
    return false;
  }

  @Override
  public long kvBlockBytes(KvBlocks.Format format) {
    return (long) format.blockTokens() * format.tokenNumbers() * format.dtype().bytes();
  }

  @Override
  public DType matrixInput(DType weights) {
    return weights;
  }

  @Override
  public long scratchBytes(OperationSizes sizes) {
    return streamScratchBytes;
  }
}
