package dev.offload.sampling;

/**
 * Random numbers that depend on nothing but a seed, an output and a position: what else runs, and
 * in which order, cannot change them. Immutable.
 *
 * <p>The mixing function is the finalizer of SplitMix64 (Steele, Lea, Flood: "Fast splittable
 * pseudorandom number generators", OOPSLA 2014, variant 13 of Stafford).
 */
final class CounterRandom {
  private static final long GOLDEN_GAMMA = 0x9e3779b97f4a7c15L;
  private static final double UNIT = 0x1.0p-53;

  private final long key;

  private CounterRandom(long key) {
    this.key = key;
  }

  /** The stream of one output of a request. */
  static CounterRandom of(long seed, int choice) {
    return new CounterRandom(mix(mix(seed + GOLDEN_GAMMA) + (choice + 1L) * GOLDEN_GAMMA));
  }

  /** A seed for row {@code index} of a job, for rows without a seed of their own. */
  static long rowSeed(long jobSeed, long index) {
    return mix(mix(jobSeed) ^ (index + 1) * GOLDEN_GAMMA);
  }

  /** A number in [0, 1) for the token at {@code position} of the output. */
  double at(long position) {
    return (mix(key + (position + 1) * GOLDEN_GAMMA) >>> 11) * UNIT;
  }

  private static long mix(long value) {
    long z = value;
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
