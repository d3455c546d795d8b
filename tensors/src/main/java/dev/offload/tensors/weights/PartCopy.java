package dev.offload.tensors.weights;

import dev.offload.tensors.Conversion;
import dev.offload.tensors.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Copies the numbers of one part from memory that holds its tensor, or a stretch of it, to where
 * they are wanted, converted.
 *
 * @param part what is copied
 * @param fromType number format as stored
 * @param toType number format wanted
 */
record PartCopy(Part part, DType fromType, DType toType) {
  /** Rows turned together: one cache line of halves. */
  private static final int TILE = 32;

  /** Columns turned together; a tile of binary32 then fills half of the first-level cache. */
  private static final int TILE_COLUMNS = 128;

  /** Copies everything out of the whole tensor. */
  void copy(MemorySegment tensor, MemorySegment to, long toOffset) {
    if (part.transposed()) {
      turn(tensor, part.firstElement(), 0, part.columns(), to, toOffset);
    } else if (part.isContiguous()) {
      run(tensor, part.firstElement(), elements(), to, toOffset);
    } else if (part.columns() == 1) {
      pick(tensor, part.firstElement(), 0, part.rows(), to, toOffset);
    } else {
      for (int row = 0; row < part.rows(); row++) {
        run(tensor, rowElement(row), part.columns(), to, toOffset + row * rowBytes());
      }
    }
  }

  /** How many numbers the part has. */
  long elements() {
    return (long) part.rows() * part.columns();
  }

  /** Number of the tensor's element that begins a row; not for transposed parts. */
  long rowElement(int row) {
    return part.firstElement() + (long) row * part.rowStep() * part.columns();
  }

  /** Bytes of one row where it is wanted. */
  long rowBytes() {
    return (long) part.columns() * toType.bytes();
  }

  /** Copies numbers that lie in a row, the first at element {@code start} of {@code from}. */
  void run(MemorySegment from, long start, long count, MemorySegment to, long toOffset) {
    Conversion.copy(from, start * fromType.bytes(), fromType, to, toOffset, toType, count);
  }

  /**
   * Copies rows of a single number each.
   *
   * @param start element of {@code from} at which row {@code firstRow} lies
   * @param toOffset where row 0 of the part goes
   */
  void pick(
      MemorySegment from, long start, int firstRow, int rows, MemorySegment to, long toOffset) {
    MemorySegment picked = MemorySegment.ofArray(new byte[rows * fromType.bytes()]);
    for (int row = 0; row < rows; row++) {
      move(from, start + (long) row * part.rowStep(), picked, row);
    }
    run(picked, 0, rows, to, toOffset + firstRow * rowBytes());
  }

  /**
   * Turns some columns of a transposed part: row r, column c of the result is row c, column {@code
   * part.firstRow() + r * part.rowStep()} of the tensor.
   *
   * @param start element of {@code from} at which stored row {@code firstColumn} begins
   * @param toOffset where row 0, column 0 of the part goes
   */
  void turn(
      MemorySegment from,
      long start,
      int firstColumn,
      int columns,
      MemorySegment to,
      long toOffset) {
    MemorySegment tile = MemorySegment.ofArray(new byte[TILE * TILE_COLUMNS * fromType.bytes()]);
    for (int column = 0; column < columns; column += TILE_COLUMNS) {
      int width = Math.min(TILE_COLUMNS, columns - column);
      for (int row = 0; row < part.rows(); row += TILE) {
        int height = Math.min(TILE, part.rows() - row);
        turnTile(from, start + (long) column * part.tensorRows(), row, height, width, tile);
        for (int i = 0; i < height; i++) {
          long target = toOffset + (row + i) * rowBytes();
          run(
              tile,
              (long) i * width,
              width,
              to,
              target + (long) (firstColumn + column) * toType.bytes());
        }
      }
    }
  }

  private void turnTile(
      MemorySegment from, long start, int firstRow, int height, int width, MemorySegment tile) {
    for (int column = 0; column < width; column++) {
      long source =
          start
              + (long) column * part.tensorRows()
              + part.firstRow()
              + (long) firstRow * part.rowStep();
      for (int i = 0; i < height; i++) {
        move(from, source + (long) i * part.rowStep(), tile, (long) i * width + column);
      }
    }
  }

  private void move(MemorySegment from, long fromIndex, MemorySegment to, long toIndex) {
    if (fromType == DType.F32) {
      to.set(
          ValueLayout.JAVA_INT_UNALIGNED,
          toIndex * Integer.BYTES,
          from.get(ValueLayout.JAVA_INT_UNALIGNED, fromIndex * Integer.BYTES));
    } else {
      to.set(
          ValueLayout.JAVA_SHORT_UNALIGNED,
          toIndex * Short.BYTES,
          from.get(ValueLayout.JAVA_SHORT_UNALIGNED, fromIndex * Short.BYTES));
    }
  }
}
