package dev.offload.backends.api;

import dev.offload.tensors.DType;

/**
 * Rows of numbers in device memory: a view, which owns nothing.
 *
 * @param buffer where
 * @param offset byte offset of the first element, a multiple of the element size
 * @param dtype number format
 * @param rows number of rows, may be 0
 * @param columns numbers per row
 * @param rowStride distance between rows in elements, at least {@code columns}
 */
public record Matrix(
    DeviceBuffer buffer, long offset, DType dtype, int rows, int columns, int rowStride) {

  public Matrix {
    if (offset < 0
        || offset % dtype.bytes() != 0
        || rows < 0
        || columns < 1
        || rowStride < columns) {
      throw new IllegalArgumentException(
          "matrix of %d x %d %s with row stride %d at byte offset %d is not possible"
              .formatted(rows, columns, dtype, rowStride, offset));
    }
    long end =
        rows == 0 ? offset : offset + ((long) (rows - 1) * rowStride + columns) * dtype.bytes();
    if (end > buffer.bytes()) {
      throw new IllegalArgumentException(
          "matrix of %d x %d %s ends at byte %d of a buffer of %d"
              .formatted(rows, columns, dtype, end, buffer.bytes()));
    }
  }

  /** A matrix without gaps between its rows. */
  public static Matrix dense(DeviceBuffer buffer, long offset, DType dtype, int rows, int columns) {
    return new Matrix(buffer, offset, dtype, rows, columns, columns);
  }

  /** The rows from {@code first} on, {@code count} of them. */
  public Matrix rows(int first, int count) {
    return new Matrix(
        buffer,
        offset + (long) first * rowStride * dtype.bytes(),
        dtype,
        count,
        columns,
        rowStride);
  }

  /** The columns from {@code first} on, {@code count} of them, of every row. */
  public Matrix columns(int first, int count) {
    return new Matrix(buffer, offset + (long) first * dtype.bytes(), dtype, rows, count, rowStride);
  }
}
