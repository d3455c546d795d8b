package dev.offload.moe;

import java.util.Arrays;
import java.util.List;

/**
 * How many tokens have chosen each expert of each layer so far. One thread at a time adds; it may
 * be read when nobody does.
 */
public final class RoutingCounts {
  private final long[][] tokens;

  /** None yet, of so many layers with up to so many experts. */
  public RoutingCounts(int layers, int experts) {
    this.tokens = new long[layers][experts];
  }

  /** Adds the choice of a pass, as it was sorted last. */
  public void add(int layer, TokenRegrouping sorted) {
    long[] of = tokens[layer];
    for (int expert = 0; expert < of.length; expert++) {
      of[expert] += sorted.rows(expert);
    }
  }

  /** How many tokens chose each of the first experts of a layer. */
  public List<Long> of(int layer, int experts) {
    return Arrays.stream(tokens[layer]).limit(experts).boxed().toList();
  }
}
