package dev.offload.planner.profile;

import java.util.List;

/**
 * What passes stream to a device.
 *
 * @param pieces bytes that are copied at a time, ascending
 * @param usualPiece that of most of what is copied, one of them
 * @param ringBytes where it is copied to
 * @param share of all weights that are streamed, 0 to 1
 */
public record Streamed(List<Long> pieces, long usualPiece, long ringBytes, double share) {
  public Streamed {
    pieces = List.copyOf(pieces);
  }
}
