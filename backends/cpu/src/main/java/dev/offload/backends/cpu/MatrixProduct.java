package dev.offload.backends.cpu;

import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.OperationSizes;
import dev.offload.backends.api.Vector;
import dev.offload.backends.api.Weight;
import dev.offload.backends.api.WeightRows;
import dev.offload.tensors.DType;
import java.util.List;

/**
 * Products of rows and weights. Every method computes on the calling thread and the workers and
 * returns when the result is there; {@code CpuOperations} has checked the arguments and calls from
 * the thread of a stream. Thread-safe.
 */
interface MatrixProduct extends AutoCloseable {

  /** One line for reports: which library or kernels, which instruction set. */
  String describe();

  /** As {@link dev.offload.backends.api.Operations#matrixInput}. */
  DType input(DType weights);

  /** As {@link dev.offload.backends.api.Operations#packedBytes}. */
  long packedBytes(DType dtype, int outputs, int inputs);

  /** As {@link dev.offload.backends.api.Operations#packs}. */
  boolean packs(DType dtype, int outputs, int inputs);

  /**
   * Bytes in which one caller at a time computes products no larger than this, beside its operands,
   * left operands in the format of {@link #input}.
   */
  long scratchBytes(DType weights, OperationSizes.Product largest);

  /** Puts a row-major weight into the order of this product; only if {@link #packs}. */
  void pack(Weight rowMajor, Weight packed);

  /**
   * For each group {@code out[rows] = x[rows] · weightᵀ + bias}, plus what {@code out} held if
   * {@code accumulate}. Rows outside all groups are not touched. Every weight is packed if {@link
   * #packs} says so and row-major otherwise.
   *
   * @param x [M, inputs], any format
   * @param groups disjoint row ranges, some perhaps empty; weights of equal size and format
   * @param biases one of length outputs per group, or empty
   * @param out [M, outputs], any format; F32 if {@code accumulate}
   */
  void multiply(
      Matrix x, List<WeightRows> groups, List<Vector> biases, boolean accumulate, Matrix out);

  /** Gives back what products have worked in; none may be running. */
  void dropScratch();

  /** Releases what the product holds, scratch too. */
  @Override
  void close();
}
