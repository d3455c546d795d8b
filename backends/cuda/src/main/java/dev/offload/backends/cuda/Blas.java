package dev.offload.backends.cuda;

/** The calls of cuBLAS that are used. Thread-safe. */
interface Blas extends AutoCloseable {

  /** Name and version. */
  String version();

  /**
   * Enqueues {@code out = x · weightᵀ + beta · out}.
   *
   * @param queue where, and its memory for partial sums
   * @param product sizes, formats and addresses
   */
  void multiply(Place queue, Product product);

  /**
   * Where a product is computed.
   *
   * @param stream CUstream
   * @param workspace address of memory that only this stream uses
   * @param workspaceBytes of it
   */
  record Place(long stream, long workspace, long workspaceBytes) {}

  /**
   * A product of row-major matrices.
   *
   * @param rows of x and out
   * @param outputs columns of out, rows of the weight
   * @param inputs columns of x and of the weight
   * @param inputType cudaDataType of x and of the weight
   * @param x address of [rows, inputs]
   * @param xStride elements from row to row
   * @param weight address of [outputs, inputs] without gaps
   * @param accumulate whether beta is 1, not 0
   * @param outType cudaDataType of out
   * @param out address of [rows, outputs]
   * @param outStride elements from row to row
   */
  record Product(
      int rows,
      int outputs,
      int inputs,
      int inputType,
      long x,
      int xStride,
      long weight,
      boolean accumulate,
      int outType,
      long out,
      int outStride) {}

  @Override
  void close();
}
