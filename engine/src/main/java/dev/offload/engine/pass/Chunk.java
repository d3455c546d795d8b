package dev.offload.engine.pass;

/**
 * The tokens of one sequence that a pass computes. Logits are wanted behind the prompt's last token
 * and behind every later one.
 *
 * @param sequence whose
 * @param first position of the first one
 * @param count how many
 * @param firstLogitsRow row of the pass's logits where this chunk's begin
 */
public record Chunk(Sequence sequence, int first, int count, int firstLogitsRow) {

  /** Prompt tokens among them. */
  public int promptTokens() {
    return Math.clamp((long) sequence.promptLength() - first, 0, count);
  }

  /** Rows of logits wanted: one for each of its last so many tokens. */
  public int logitsRows() {
    return Math.clamp(contextLength() - (sequence.promptLength() - 1L), 0, count);
  }

  /** Number of tokens in the cache after the pass. */
  int contextLength() {
    return first + count;
  }
}
