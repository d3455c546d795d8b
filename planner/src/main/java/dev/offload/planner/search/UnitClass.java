package dev.offload.planner.search;

import dev.offload.planner.UnitSize;
import dev.offload.planner.cost.ExpertRows;
import dev.offload.planner.cost.ExpertShares;
import dev.offload.planner.cost.MatrixShape;
import dev.offload.tensors.weights.UnitId;
import java.util.List;

/**
 * Weight units that are alike in all that matters for placing them: the variables of the program
 * are shares of such classes, so that its size does not grow with the model.
 *
 * @param kind of all its units
 * @param size of each of its units; the id is that of the first
 * @param matrices of each of its units
 * @param perToken how many experts a token takes; 0 unless they are experts
 * @param experts of a layer; 0 unless they are experts
 * @param shares how likely a token is to choose each of its units; none unless they are experts
 * @param units in model order, at least one
 */
record UnitClass(
    UnitId.Kind kind,
    UnitSize size,
    List<MatrixShape> matrices,
    int perToken,
    int experts,
    ExpertShares shares,
    List<UnitId> units) {
  UnitClass {
    matrices = List.copyOf(matrices);
    units = List.copyOf(units);
  }

  /** Rows of a unit if it is an expert and so many tokens choose. */
  ExpertRows rows(double tokens) {
    return new ExpertRows(tokens, shares);
  }

  int count() {
    return units.size();
  }

  /** Bytes of one unit where it lives or computes. */
  long imageBytes() {
    return size.imageBytes();
  }

  /** Bytes of one unit that the host computes. */
  long hostBytes() {
    return size.hostImageBytes();
  }

  /** Bytes of the largest form in which a unit passes through the ring. */
  long pieceBytes() {
    return Math.max(size.imageBytes(), size.rowMajorBytes());
  }

  long totalBytes() {
    return count() * imageBytes();
  }

  /** Bytes of all units if the host computes them. */
  long totalHostBytes() {
    return count() * hostBytes();
  }
}
