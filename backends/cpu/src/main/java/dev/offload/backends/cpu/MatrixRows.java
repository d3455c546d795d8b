package dev.offload.backends.cpu;

import dev.offload.backends.api.Matrix;
import dev.offload.tensors.DType;
import java.lang.foreign.MemorySegment;

/** A matrix as kernels see it: memory whose rows they read and write as F32. */
record MatrixRows(
    MemorySegment segment, long offset, DType dtype, int rows, int columns, long strideBytes) {

  static MatrixRows of(Matrix matrix) {
    return new MatrixRows(
        CpuBuffer.segment(matrix.buffer()),
        matrix.offset(),
        matrix.dtype(),
        matrix.rows(),
        matrix.columns(),
        (long) matrix.rowStride() * matrix.dtype().bytes());
  }

  void load(int row, float[] to) {
    RowCodec.load(segment, rowOffset(row), dtype, to, 0, columns);
  }

  /** Reads {@code count} numbers of a row from {@code column} on. */
  void load(int row, int column, int count, float[] to, int toIndex) {
    RowCodec.load(
        segment, rowOffset(row) + (long) column * dtype.bytes(), dtype, to, toIndex, count);
  }

  void store(float[] from, int row) {
    RowCodec.store(from, 0, segment, rowOffset(row), dtype, columns);
  }

  /** Writes {@code count} numbers of a row from {@code column} on. */
  void store(float[] from, int fromIndex, int row, int column, int count) {
    RowCodec.store(
        from, fromIndex, segment, rowOffset(row) + (long) column * dtype.bytes(), dtype, count);
  }

  /** Byte offset of a row in the segment. */
  long rowOffset(int row) {
    return offset + row * strideBytes;
  }
}
