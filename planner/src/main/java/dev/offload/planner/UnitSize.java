package dev.offload.planner;

import dev.offload.tensors.weights.UnitId;

/**
 * Sizes of a weight unit.
 *
 * @param id which unit
 * @param rowMajorBytes in the compute format, row-major: what comes from a file
 * @param imageBytes in the order in which the device computes
 * @param packed whether that order differs from the row-major one
 * @param hostImageBytes in the order in which the host computes
 */
public record UnitSize(
    UnitId id, long rowMajorBytes, long imageBytes, boolean packed, long hostImageBytes) {

  /** Where host and device compute in the same order. */
  public UnitSize(UnitId id, long rowMajorBytes, long imageBytes, boolean packed) {
    this(id, rowMajorBytes, imageBytes, packed, imageBytes);
  }
}
