package dev.offload.planner;

import dev.offload.tensors.weights.UnitId;

/**
 * Sizes of a weight unit.
 *
 * @param id which unit
 * @param rowMajorBytes in the compute format, row-major: what comes from a file
 * @param imageBytes in the order in which the device computes
 * @param packed whether that order differs from the row-major one
 */
public record UnitSize(UnitId id, long rowMajorBytes, long imageBytes, boolean packed) {}
