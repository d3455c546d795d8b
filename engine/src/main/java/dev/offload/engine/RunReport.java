package dev.offload.engine;

import dev.offload.planner.Lane;
import java.util.Map;

/**
 * What a run did.
 *
 * @param rows rows finished
 * @param promptTokens prompt tokens computed
 * @param sharedPromptTokens prompt tokens not computed, as another sequence with the same prefix
 *     was
 * @param generatedTokens tokens generated; of choices, places in them that were scored
 * @param passes sweeps through the model
 * @param wallNanos from the first token in to the last token out
 * @param prefillNanos time of the passes that computed prompt tokens, in proportion to those
 * @param decodeNanos the rest of the time in passes
 * @param busyShares busy share of each lane, 0 to 1
 * @param diskBytes bytes read from weight files during passes
 * @param streamedBytes bytes of weights copied to the device during passes
 * @param peakDeviceBytes most device memory in use at any time
 * @param peakHostBytes most pinned host memory in use at any time
 * @param flight sequences in flight
 */
public record RunReport(
    long rows,
    long promptTokens,
    long sharedPromptTokens,
    long generatedTokens,
    long passes,
    long wallNanos,
    long prefillNanos,
    long decodeNanos,
    Map<Lane, Double> busyShares,
    long diskBytes,
    long streamedBytes,
    long peakDeviceBytes,
    long peakHostBytes,
    Flight flight) {

  /**
   * How many sequences were computed at a time, and what it took.
   *
   * @param meanSequences sequences in flight, mean over all passes
   * @param mostSequences most at a time
   * @param preemptions how often a sequence had to give its cache blocks to an older one
   * @param recomputedTokens tokens computed again because of that
   * @param swappedBytes bytes of cache copied to host memory and back because of that, both counted
   * @param diskSwappedBytes the same for a file
   * @param peakKvBlocks most cache blocks that they had at a time, shared ones counted once
   */
  public record Flight(
      double meanSequences,
      int mostSequences,
      long preemptions,
      long recomputedTokens,
      long swappedBytes,
      long diskSwappedBytes,
      int peakKvBlocks) {}

  public RunReport {
    busyShares = Map.copyOf(busyShares);
  }

  /** Prompt and generated tokens per second of wall time. */
  public double totalTokensPerSecond() {
    return rate(promptTokens + generatedTokens, wallNanos);
  }

  /** Prompt tokens per second of prefill time. */
  public double prefillTokensPerSecond() {
    return rate(promptTokens, prefillNanos);
  }

  /** Generated tokens per second of decode time. */
  public double decodeTokensPerSecond() {
    return rate(generatedTokens, decodeNanos);
  }

  private static double rate(long tokens, long nanos) {
    return nanos == 0 ? 0 : tokens * 1e9 / nanos;
  }
}
