package dev.offload.backends.kernels;

import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Stream;
import dev.offload.backends.api.Weight;
import dev.offload.tensors.DType;

/**
 * A library of matrix products for the device, faster than the portable kernel. It knows no bias
 * and not every mix of formats; {@link KernelOperations} does the rest. Thread-safe.
 */
public interface ProductLibrary {

  /**
   * Whether it multiplies these formats.
   *
   * @param x of the left operand
   * @param weight of the weight
   * @param out of the product
   */
  boolean multiplies(DType x, DType weight, DType out);

  /**
   * Enqueues {@code out = x · weightᵀ}, plus what {@code out} held if {@code accumulate}; operands
   * are checked and have rows. For equal sizes, strides and formats the result is the same to the
   * bit, wherever operands lie.
   */
  void multiply(Stream stream, Matrix x, Weight weight, boolean accumulate, Matrix out);
}
