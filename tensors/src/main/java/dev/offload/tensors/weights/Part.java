package dev.offload.tensors.weights;

import java.util.List;

/**
 * Rows of one checkpoint tensor. A tensor of one dimension is a column of rows of one number; a
 * stack is a tensor with one dimension more in front.
 *
 * @param tensor its name in the checkpoint
 * @param shape its shape there
 * @param slab which element of a stack; -1 if the tensor is no stack
 * @param firstRow first row taken
 * @param rows how many are taken
 * @param rowStep distance between taken rows, 1 for a contiguous range
 * @param firstColumn first number taken of each row; 0 unless transposed
 * @param columns numbers taken of each row; all of them unless transposed
 * @param transposed the tensor is stored [inputs, outputs]; rows are then its columns
 */
public record Part(
    String tensor,
    List<Integer> shape,
    int slab,
    int firstRow,
    int rows,
    int rowStep,
    int firstColumn,
    int columns,
    boolean transposed) {

  public Part {
    shape = List.copyOf(shape);
    int rank = shape.size() - (slab < 0 ? 0 : 1);
    if (rank < 1 || rank > 2 || (transposed && rank != 2)) {
      throw new IllegalArgumentException(tensor + " of shape " + shape + " is no matrix or vector");
    }
    if (slab >= 0 && slab >= shape.getFirst()) {
      throw new IllegalArgumentException(tensor + " of shape " + shape + " has no slab " + slab);
    }
    int found = transposed ? shape.getLast() : shape.get(shape.size() - rank);
    if (firstRow < 0 || rows < 1 || rowStep < 1 || firstRow + (rows - 1L) * rowStep >= found) {
      throw new IllegalArgumentException(
          "%s of shape %s has no %d rows from %d in steps of %d"
              .formatted(tensor, shape, rows, firstRow, rowStep));
    }
    int width = columns(shape, slab, transposed);
    if (firstColumn < 0
        || columns < 1
        || columns > width - firstColumn
        || (!transposed && columns < width)) {
      throw new IllegalArgumentException(
          "%s of shape %s has no %d columns from %d"
              .formatted(tensor, shape, columns, firstColumn));
    }
  }

  /** With all numbers of each row. */
  public Part(
      String tensor,
      List<Integer> shape,
      int slab,
      int firstRow,
      int rows,
      int rowStep,
      boolean transposed) {
    this(
        tensor,
        shape,
        slab,
        firstRow,
        rows,
        rowStep,
        0,
        columns(shape, slab, transposed),
        transposed);
  }

  /** All rows of a matrix [rows, columns]. */
  public static Part matrix(String tensor, int rows, int columns) {
    return new Part(tensor, List.of(rows, columns), -1, 0, rows, 1, false);
  }

  /** All rows of a matrix stored as [columns, rows]. */
  public static Part transposed(String tensor, int rows, int columns) {
    return new Part(tensor, List.of(columns, rows), -1, 0, rows, 1, true);
  }

  /** All numbers of a vector. */
  public static Part vector(String tensor, int length) {
    return new Part(tensor, List.of(length), -1, 0, length, 1, false);
  }

  /** A contiguous range of the same tensor's rows. */
  public Part range(int first, int count) {
    return every(1, first, count);
  }

  /** Every {@code step}-th row of the same tensor. */
  public Part every(int step, int first, int count) {
    return new Part(tensor, shape, slab, first, count, step, firstColumn, columns, transposed);
  }

  /** Some numbers of each row of a transposed part. */
  public Part columns(int first, int count) {
    return new Part(tensor, shape, slab, firstRow, rows, rowStep, first, count, transposed);
  }

  private static int columns(List<Integer> shape, int slab, boolean transposed) {
    if (shape.size() - (slab < 0 ? 0 : 1) == 1) {
      return 1;
    }
    return transposed ? shape.get(shape.size() - 2) : shape.getLast();
  }

  /** Whether the tensor, or each element of the stack, has one dimension. */
  public boolean isVector() {
    return shape.size() - (slab < 0 ? 0 : 1) == 1;
  }

  /** Whether the numbers lie in the checkpoint one after the other, in the order wanted. */
  public boolean isContiguous() {
    return !transposed && (rowStep == 1 || rows == 1);
  }

  /** Numbers of the tensor before the first row; for a transposed part, before its columns. */
  long firstElement() {
    long width = columns(shape, slab, transposed);
    long before = slab < 0 ? 0 : slab * width * tensorRows();
    return before + (transposed ? (long) firstColumn * tensorRows() : firstRow * width);
  }

  /** Rows of the whole tensor, or of one element of the stack. */
  int tensorRows() {
    if (isVector() || transposed) {
      return shape.getLast();
    }
    return shape.get(shape.size() - 2);
  }
}
