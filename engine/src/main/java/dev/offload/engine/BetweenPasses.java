package dev.offload.engine;

import java.util.OptionalDouble;

/**
 * How long lanes wait for the engine's own thread from the result of a pass to the tasks of the
 * next: it hands out logits, chooses, lets sequences in, makes the schedule and gives it to the
 * lanes. Older passes count less and less. Not thread-safe.
 */
final class BetweenPasses {
  /** What a pass counts for when the next one is added. */
  private static final double MEMORY = 0.9;

  private double weight;
  private double nanos;

  void add(long ownNanos) {
    weight = weight * MEMORY + 1;
    nanos = nanos * MEMORY + ownNanos;
  }

  /** Mean of the passes of late; nothing before the first. */
  OptionalDouble seconds() {
    return weight == 0 ? OptionalDouble.empty() : OptionalDouble.of(nanos / weight / 1e9);
  }
}
