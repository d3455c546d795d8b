package dev.offload.engine;

/**
 * What one more token costs a pass, by the passes so far. The time of a pass is fitted as a·1 + b
 * per token, by least squares over passes of which older ones count less and less. Where weights
 * that are streamed take all the time, tokens ride along and b is about 0. Not thread-safe.
 */
final class PassTimes {
  /** What a pass counts for when the next one is added. */
  private static final double MEMORY = 0.98;

  private double weight;
  private double tokens;
  private double nanos;
  private double tokensSquared;
  private double tokensNanos;

  void add(int passTokens, long passNanos) {
    weight = weight * MEMORY + 1;
    tokens = tokens * MEMORY + passTokens;
    nanos = nanos * MEMORY + passNanos;
    tokensSquared = tokensSquared * MEMORY + (double) passTokens * passTokens;
    tokensNanos = tokensNanos * MEMORY + (double) passTokens * passNanos;
  }

  /**
   * The b of the fit, at least 0 and at most the mean time per token, which it is too as long as
   * passes were of equal size; 0 before the first.
   */
  double nanosPerToken() {
    if (tokens == 0) {
      return 0;
    }
    double mean = nanos / tokens;
    double spread = tokensSquared * weight - tokens * tokens;
    if (spread <= 1e-6 * tokens * tokens) {
      return mean;
    }
    return Math.clamp((tokensNanos * weight - tokens * nanos) / spread, 0, mean);
  }
}
