package dev.offload.planner.profile;

import dev.offload.planner.hardware.HardwareProfile.Sharing;

/**
 * Two lanes that work at the same time, about as long as each other.
 *
 * @param one what the first does
 * @param other what the second does
 * @param aloneSeconds how long the slower of them takes alone
 * @param seconds until both were done
 * @param hostBytes host memory that both read and wrote
 * @param coreSeconds time of the host's cores that both took, summed over cores
 */
public record Together(
    String one,
    String other,
    double aloneSeconds,
    double seconds,
    double hostBytes,
    double coreSeconds) {

  /**
   * Seconds until both are done if they share the host's cores and memory and nothing else: the
   * longest of a lane alone, core time over cores, and bytes over the rate of host memory.
   */
  public double modelSeconds(Sharing sharing) {
    return Math.max(
        aloneSeconds,
        Math.max(coreSeconds / sharing.cores(), hostBytes / sharing.hostMemoryBytesPerSecond()));
  }

  /** What this model misses: measured over modelled time, less one. */
  public double residual(Sharing sharing) {
    return seconds / modelSeconds(sharing) - 1;
  }
}
