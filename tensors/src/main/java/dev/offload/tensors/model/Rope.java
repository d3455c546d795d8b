package dev.offload.tensors.model;

import java.util.List;

/**
 * Rotary position embedding (Su et al., arXiv 2104.09864).
 *
 * @param dimensions leading dimensions of each head that are rotated, even; 0 means no rotation
 * @param base theta
 * @param interleaved pairs are (0,1), (2,3), … instead of (0,d/2), (1,d/2+1), …
 * @param scaling how the frequencies are stretched for long contexts
 */
public record Rope(int dimensions, double base, boolean interleaved, Scaling scaling) {
  /** No rotation. */
  public static final Rope NONE = new Rope(0, 1, false, new None());

  public Rope {
    if (dimensions < 0 || dimensions % 2 != 0) {
      throw new IllegalArgumentException("rotated dimensions are " + dimensions + ", must be even");
    }
  }

  /** How frequencies are stretched. */
  public sealed interface Scaling permits None, Linear, Dynamic, Llama3, Yarn, Longrope {}

  /** Frequencies as they are. */
  public record None() implements Scaling {}

  /** All frequencies divided by a factor. */
  public record Linear(double factor) implements Scaling {}

  /** Dynamic NTK: the base grows once a sequence is longer than the original context. */
  public record Dynamic(double factor, int originalContext) implements Scaling {}

  /** Llama 3.1: low frequencies divided by a factor, a smooth passage between. */
  public record Llama3(
      double factor, double lowFrequencyFactor, double highFrequencyFactor, int originalContext)
      implements Scaling {}

  /**
   * YaRN (Peng et al., arXiv 2309.00071).
   *
   * @param attentionFactor multiplies cos and sin
   * @param truncate the correction range is rounded to whole dimensions
   */
  public record Yarn(
      double factor,
      int originalContext,
      double betaFast,
      double betaSlow,
      double attentionFactor,
      boolean truncate)
      implements Scaling {}

  /**
   * LongRoPE: one factor per frequency, another set beyond the original context.
   *
   * @param attentionFactor multiplies cos and sin
   */
  public record Longrope(
      List<Double> shortFactors,
      List<Double> longFactors,
      int originalContext,
      double attentionFactor)
      implements Scaling {}
}
