package dev.offload.planner;

import java.util.List;

/**
 * How much one pass has to do.
 *
 * @param microBatches one entry per KV group, in order
 * @param wholeRows rows of logits that the host gets whole
 * @param bestRows rows of logits of which it gets what the device found in them
 * @param bestNumbers how many numbers of 4 bytes that are for each
 */
public record PassShape(
    List<MicroBatch> microBatches, int wholeRows, int bestRows, int bestNumbers) {
  /** What a greedy choice takes of a row: the largest logit and its token. */
  public static final int GREEDY_NUMBERS = 2;

  public PassShape {
    microBatches = List.copyOf(microBatches);
  }

  /** Rows for which logits are needed. */
  public int logitsRows() {
    return wholeRows + bestRows;
  }

  /**
   * The share of one micro-batch.
   *
   * @param tokens rows, 0 if it sits this pass out
   * @param promptTokens those of them that belong to prompts
   * @param sequences how many they belong to
   * @param decoding how many of the sequences have a single row
   * @param decodeKeys keys that these rows see, themselves included, summed over them
   * @param promptPairs the same for the rows of all other sequences, summed over rows
   * @param kvBytes bytes of its cache in use, per layer, in whole blocks
   * @param kvWrittenBytes bytes of those blocks that it writes to, per layer
   */
  public record MicroBatch(
      int tokens,
      int promptTokens,
      int sequences,
      int decoding,
      long decodeKeys,
      long promptPairs,
      long kvBytes,
      long kvWrittenBytes) {}

  /** Rows of all micro-batches. */
  public int tokens() {
    return microBatches.stream().mapToInt(MicroBatch::tokens).sum();
  }

  /** Rows of prompts in all micro-batches. */
  public int promptTokens() {
    return microBatches.stream().mapToInt(MicroBatch::promptTokens).sum();
  }

  /** Sequences of all micro-batches. */
  public int sequences() {
    return microBatches.stream().mapToInt(MicroBatch::sequences).sum();
  }
}
