package dev.offload.tensors.weights;

import dev.offload.tensors.Conversion;
import dev.offload.tensors.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Copies the rows of one part from a tensor as stored to where they are wanted, converted. */
final class PartCopy {
  /** Columns taken together when a matrix is turned: 64 bytes, one cache line, of halves. */
  private static final int TILE = 32;

  private PartCopy() {}

  /**
   * Copies {@code part.rows() * part.columns()} numbers.
   *
   * @param from memory that holds tensor elements from {@code fromElement} on
   * @param fromElement number of the tensor's element at the start of {@code from}
   */
  static void copy(
      Part part,
      DType fromType,
      MemorySegment from,
      long fromElement,
      DType toType,
      MemorySegment to,
      long toOffset) {
    long start = part.firstElement() - fromElement;
    int columns = part.columns();
    if (part.transposed()) {
      turn(part, fromType, from, start, toType, to, toOffset);
      return;
    }
    if (part.isContiguous()) {
      Conversion.copy(
          from,
          start * fromType.bytes(),
          fromType,
          to,
          toOffset,
          toType,
          (long) part.rows() * columns);
      return;
    }
    if (columns == 1) {
      gather(part, fromType, from, start, toType, to, toOffset);
      return;
    }
    for (int row = 0; row < part.rows(); row++) {
      Conversion.copy(
          from,
          (start + (long) row * part.rowStep() * columns) * fromType.bytes(),
          fromType,
          to,
          toOffset + (long) row * columns * toType.bytes(),
          toType,
          columns);
    }
  }

  private static void gather(
      Part part,
      DType fromType,
      MemorySegment from,
      long start,
      DType toType,
      MemorySegment to,
      long toOffset) {
    MemorySegment gathered = MemorySegment.ofArray(new byte[part.rows() * fromType.bytes()]);
    for (int row = 0; row < part.rows(); row++) {
      move(fromType, from, start + (long) row * part.rowStep(), gathered, row);
    }
    Conversion.copy(gathered, 0, fromType, to, toOffset, toType, part.rows());
  }

  /**
   * Row r, column c of the result is row c, column {@code firstRow + r * rowStep} of the tensor.
   */
  private static void turn(
      Part part,
      DType fromType,
      MemorySegment from,
      long start,
      DType toType,
      MemorySegment to,
      long toOffset) {
    int columns = part.columns();
    int stored = part.tensorRows();
    MemorySegment tile = MemorySegment.ofArray(new byte[TILE * columns * fromType.bytes()]);
    for (int row = 0; row < part.rows(); row += TILE) {
      int height = Math.min(TILE, part.rows() - row);
      for (int column = 0; column < columns; column++) {
        long source =
            start + (long) column * stored + part.firstRow() + (long) row * part.rowStep();
        for (int i = 0; i < height; i++) {
          move(
              fromType,
              from,
              source + (long) i * part.rowStep(),
              tile,
              (long) i * columns + column);
        }
      }
      Conversion.copy(
          tile,
          0,
          fromType,
          to,
          toOffset + (long) row * columns * toType.bytes(),
          toType,
          (long) height * columns);
    }
  }

  private static void move(
      DType type, MemorySegment from, long fromIndex, MemorySegment to, long toIndex) {
    if (type == DType.F32) {
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
