package dev.offload.engine.pass;

/**
 * The tokens of one sequence that a pass computes. Logits are wanted behind the prompt's last token
 * and behind every later one, each once: not again when a preempted sequence is computed anew.
 *
 * @param sequence whose
 * @param first position of the first one
 * @param count how many
 * @param firstLogitsRow row of the pass's logits where this chunk's begin
 * @param logitsRows rows of logits wanted: one for each of its last so many tokens
 * @param recomputedTokens how many of its first tokens were computed before
 */
public record Chunk(
    Sequence sequence,
    int first,
    int count,
    int firstLogitsRow,
    int logitsRows,
    int recomputedTokens) {

  /** The next so many pending tokens of a sequence. */
  static Chunk of(Sequence sequence, int count, int firstLogitsRow) {
    return new Chunk(
        sequence,
        sequence.cached(),
        count,
        firstLogitsRow,
        Math.max(0, count - sequence.pendingWithoutLogits()),
        Math.min(count, sequence.pendingAgain()));
  }

  /** Prompt tokens computed for the first time. */
  public int promptTokens() {
    int firstNew = first + recomputedTokens;
    return Math.clamp((long) sequence.promptLength() - firstNew, 0, count - recomputedTokens);
  }

  /** Number of tokens in the cache after the pass. */
  int contextLength() {
    return first + count;
  }
}
