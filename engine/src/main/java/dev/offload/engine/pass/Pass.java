package dev.offload.engine.pass;

import java.util.List;

/**
 * One sweep through the model: per micro-batch the chunks it computes.
 *
 * @param microBatches one list of chunks per KV group, possibly empty
 * @param logitsRows rows for which logits are wanted
 */
public record Pass(List<List<Chunk>> microBatches, int logitsRows) {
  public Pass {
    microBatches = microBatches.stream().map(List::copyOf).toList();
  }

  /** Tokens of one micro-batch. */
  public int tokens(int microBatch) {
    return microBatches.get(microBatch).stream().mapToInt(Chunk::count).sum();
  }

  /** Tokens of all micro-batches. */
  public int tokens() {
    return microBatches.stream().flatMap(List::stream).mapToInt(Chunk::count).sum();
  }

  /** Sequences of which it computes something. */
  public int sequences() {
    return microBatches.stream().mapToInt(List::size).sum();
  }

  /** Those of its tokens that belong to prompts. */
  public int promptTokens() {
    return microBatches.stream().flatMap(List::stream).mapToInt(Chunk::promptTokens).sum();
  }

  /** Marks all chunks as computed. */
  public void advance() {
    microBatches.forEach(chunks -> chunks.forEach(c -> c.sequence().advance(c.contextLength())));
  }
}
