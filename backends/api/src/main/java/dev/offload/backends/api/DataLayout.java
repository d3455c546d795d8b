package dev.offload.backends.api;

import dev.offload.tensors.DType;

/**
 * How a kind of device keeps weights and KV cache: all that sizes in its memory depend on. Known
 * without a device, so that plans can be made for machines that are not there.
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
}
