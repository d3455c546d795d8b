package dev.offload.planner;

import java.util.List;

/**
 * How much one pass has to do.
 *
 * @param microBatches one entry per KV group, in order
 * @param logitsRows rows for which logits are needed
 */
public record PassShape(List<MicroBatch> microBatches, int logitsRows) {
  public PassShape {
    microBatches = List.copyOf(microBatches);
  }

  /**
   * The share of one micro-batch.
   *
   * @param tokens rows, 0 if it sits this pass out
   * @param kvBytes bytes of its cache in use, per layer
   */
  public record MicroBatch(int tokens, long kvBytes) {}

  /** Rows of all micro-batches. */
  public int tokens() {
    return microBatches.stream().mapToInt(MicroBatch::tokens).sum();
  }
}
