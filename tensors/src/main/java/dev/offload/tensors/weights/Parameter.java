package dev.offload.tensors.weights;

import dev.offload.tensors.DType;
import java.util.ArrayList;
import java.util.List;

/**
 * One tensor as the engine computes with it, put together from rows of checkpoint tensors.
 *
 * @param role what it is for
 * @param dtype number format of all its parts as stored
 * @param rows outputs of a matrix; 1 for a vector
 * @param columns inputs of a matrix; length of a vector
 * @param parts where the rows come from, top to bottom. The parts of a matrix have {@code rows}
 *     rows together; those of a vector have {@code columns} rows of one number together.
 * @param blocks how many matrices of as many rows lie one above the other, each of which is
 *     multiplied on its own; 1 for all but those with one per head
 */
public record Parameter(
    Role role, DType dtype, int rows, int columns, List<Part> parts, int blocks) {

  public Parameter {
    parts = List.copyOf(parts);
    if (blocks < 1 || rows % blocks != 0) {
      throw new IllegalArgumentException(
          "%s of %d rows cannot be %d matrices".formatted(role, rows, blocks));
    }
    long found = parts.stream().mapToLong(Part::rows).sum();
    long expected = role.isMatrix() ? rows : columns;
    if (found != expected || (!role.isMatrix() && rows != 1)) {
      throw new IllegalArgumentException(
          "%s is %d x %d but its parts have %d rows together"
              .formatted(role, rows, columns, found));
    }
    for (Part part : parts) {
      if (part.columns() != (role.isMatrix() ? columns : 1)) {
        throw new IllegalArgumentException(
            "%s has %d columns but %s has %d"
                .formatted(role, columns, part.tensor(), part.columns()));
      }
    }
  }

  /** A vector, or a single matrix. */
  public Parameter(Role role, DType dtype, int rows, int columns, List<Part> parts) {
    this(role, dtype, rows, columns, parts, 1);
  }

  /** One of the matrices that lie one above the other. */
  public Parameter block(int number) {
    return blocks == 1 ? this : range(number * (rows / blocks), rows / blocks);
  }

  /**
   * Some rows of a matrix.
   *
   * @throws IllegalArgumentException if it has no {@code count} rows from {@code first} on
   */
  public Parameter range(int first, int count) {
    List<Part> found = new ArrayList<>();
    int above = 0;
    for (Part part : parts) {
      int begin = Math.max(first - above, 0);
      int end = Math.min(first + count - above, part.rows());
      if (begin < end) {
        found.add(
            part.every(part.rowStep(), part.firstRow() + begin * part.rowStep(), end - begin));
      }
      above += part.rows();
    }
    return new Parameter(role, dtype, count, columns, found);
  }

  /** A matrix takes part in matrix products; a vector (norm weight, bias) does not. */
  public boolean isMatrix() {
    return role.isMatrix();
  }

  /** How many numbers it has. */
  public long elements() {
    return (long) rows * columns;
  }

  /** Bytes as stored: {@code rows * columns * dtype.bytes()}. */
  public long bytes() {
    return elements() * dtype.bytes();
  }
}
