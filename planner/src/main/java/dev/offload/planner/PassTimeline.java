package dev.offload.planner;

import java.util.List;

/**
 * What every lane did during one pass, weights fetched in advance for the next one included.
 *
 * @param pass its number in the run, from 1
 * @param sequences in flight during it
 * @param tokens tokens it computed, of prompts and of outputs
 * @param promptTokens those of them that belong to prompts
 * @param nanos from its begin until its logits were there
 * @param spans what the lanes did, in the order in which it began
 */
public record PassTimeline(
    long pass, int sequences, int tokens, int promptTokens, long nanos, List<Span> spans) {
  public PassTimeline {
    spans = List.copyOf(spans);
  }

  /**
   * A task while it kept its lane busy.
   *
   * @param task what it was, for people
   * @param beginNanos since the begin of the pass, not negative
   * @param endNanos since then, later than the beginning, at most the length of the pass
   */
  public record Span(Lane lane, String task, long beginNanos, long endNanos) {}
}
