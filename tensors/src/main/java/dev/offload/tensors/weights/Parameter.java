package dev.offload.tensors.weights;

import dev.offload.tensors.DType;
import java.util.List;

/**
 * One tensor as the engine computes with it, put together from rows of checkpoint tensors.
 *
 * @param role what it is for
 * @param dtype number format of all its parts as stored
 * @param rows outputs of a matrix; 1 for a vector
 * @param columns inputs of a matrix; length of a vector
 * @param parts where the rows come from, top to bottom; their rows add up to {@code rows}
 */
public record Parameter(Role role, DType dtype, int rows, int columns, List<Part> parts) {

  public Parameter {
    parts = List.copyOf(parts);
    int found = parts.stream().mapToInt(Part::rows).sum();
    if (found != rows) {
      throw new IllegalArgumentException(
          role + " has " + rows + " rows but its parts have " + found + " together");
    }
  }

  /** A matrix takes part in matrix products; a vector (norm weight, bias) does not. */
  public boolean isMatrix() {
    return rows > 1 || role == Role.SHARED_GATE;
  }

  /** Bytes as stored: {@code rows * columns * dtype.bytes()}. */
  public long bytes() {
    return (long) rows * columns * dtype.bytes();
  }

  /**
   * Rows of one checkpoint tensor.
   *
   * @param tensor its name in the checkpoint
   * @param firstRow first row taken
   * @param rows how many are taken
   * @param rowStep distance between taken rows, 1 for a contiguous range
   * @param transposed the tensor is stored [inputs, outputs]; rows are then its columns
   */
  public record Part(String tensor, int firstRow, int rows, int rowStep, boolean transposed) {
    /** All rows of a tensor, as they are. */
    public static Part whole(String tensor, int rows) {
      return new Part(tensor, 0, rows, 1, false);
    }
  }
}
