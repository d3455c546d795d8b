package dev.offload.backends.api;

import dev.offload.tensors.DType;

/**
 * How a kind of device keeps weights and KV cache, and what it works in beside them: all that sizes
 * in its memory depend on. Known without a device, so that plans can be made for machines that are
 * not there.
 */
public interface DataLayout {

  /** Bytes of a weight in the device's own order; the row-major size if it has none. */
  long packedBytes(DType dtype, int outputs, int inputs);

  /**
   * Whether the device's own order differs from row-major; if not, weights are used as they are.
   */
  boolean packs(DType dtype, int outputs, int inputs);

  /** Bytes of one block of a KV cache. */
  long kvBlockBytes(KvBlocks.Format format);

  /** Tokens per block that suit the device best. */
  int kvBlockTokens();

  /**
   * Number format in which the left operand of a matrix product is fastest for weights of the given
   * format. Operations that feed a product write this format.
   *
   * @throws IllegalArgumentException if the device cannot multiply such weights
   */
  DType matrixInput(DType weights);

  /**
   * Device memory, in bytes, in which the operations of one stream work beside their operands at
   * most, however many they are, if none is larger than these. It counts against the device's
   * budget from the first operation that needs it until all streams are closed, so whoever plans
   * memory leaves that much for each stream that computes.
   */
  long scratchBytes(OperationSizes sizes);
}
