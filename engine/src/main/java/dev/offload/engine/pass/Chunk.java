package dev.offload.engine.pass;

/**
 * The tokens of one sequence that a pass computes.
 *
 * @param sequence whose
 * @param first position of the first one
 * @param count how many
 * @param logitsRow row of the pass's logits that belongs to the last one, −1 if it needs none
 */
public record Chunk(Sequence sequence, int first, int count, int logitsRow) {

  /** Prompt tokens among them. */
  public int promptTokens() {
    return Math.clamp((long) sequence.promptLength() - first, 0, count);
  }

  /** Number of tokens in the cache after the pass. */
  int contextLength() {
    return first + count;
  }
}
