package dev.offload.backends.api;

import java.util.Optional;

/**
 * A normalisation of rows.
 *
 * @param weight factor per column
 * @param bias present for LayerNorm (which also subtracts the mean), absent for RMSNorm
 * @param epsilon added to the variance or mean square
 * @param unitOffset multiplies by 1 + weight
 */
public record NormSpec(Vector weight, Optional<Vector> bias, float epsilon, boolean unitOffset) {}
