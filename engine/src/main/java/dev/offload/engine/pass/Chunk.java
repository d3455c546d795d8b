package dev.offload.engine.pass;

import dev.offload.engine.kvcache.CachedPrefix;
import java.util.Optional;

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
 * @param sharedTokens how many tokens right before the first another sequence computed for it
 */
public record Chunk(
    Sequence sequence,
    int first,
    int count,
    int firstLogitsRow,
    int logitsRows,
    int recomputedTokens,
    int sharedTokens) {

  /** So many tokens of a sequence from a first one on; its rows of logits are not numbered yet. */
  static Chunk of(Sequence sequence, int first, int count) {
    int computed = sequence.computed();
    return new Chunk(
        sequence,
        first,
        count,
        0,
        Math.clamp(first + (long) count - sequence.firstWithLogits(), 0, count),
        Math.clamp((long) computed - first, 0, count),
        Math.max(0, first - computed));
  }

  Chunk withFirstLogitsRow(int row) {
    return new Chunk(sequence, first, count, row, logitsRows, recomputedTokens, sharedTokens);
  }

  /** Whether whole rows of logits are wanted, if any. */
  public boolean wantsAllLogits() {
    return sequence.wantedLogits().isAll();
  }

  /** The shared prefix of its sequence, if all its tokens lie behind that. */
  Optional<CachedPrefix> prefixBehind() {
    return sequence.cachedPrefix().filter(prefix -> first >= prefix.tokens());
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
