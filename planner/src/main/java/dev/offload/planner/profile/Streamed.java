package dev.offload.planner.profile;

import java.util.List;
import java.util.Set;

/**
 * What passes stream to a device.
 *
 * @param pieces bytes that are copied at a time, ascending
 * @param weights those of weights that are copied into the ring
 * @param usualPiece that of most of what is copied, one of them
 * @param ringBytes where it is copied to
 * @param share of all weights that are streamed, 0 to 1
 */
public record Streamed(
    List<Long> pieces, Set<Long> weights, long usualPiece, long ringBytes, double share) {
  public Streamed {
    pieces = List.copyOf(pieces);
    weights = Set.copyOf(weights);
  }
}
