package dev.offload.engine;

import dev.offload.engine.execute.TaskListener;

/**
 * Hears what was done in every pass of an engine's runs, on the engine's thread. Tasks of a pass
 * are heard until the next one has begun.
 */
public interface PassListener extends TaskListener {

  /**
   * A pass has its logits.
   *
   * @param pass its number in the run, from 1
   * @param sequences in flight during it
   * @param tokens tokens it computed, of prompts and of outputs
   * @param promptTokens those of them that belong to prompts
   * @param beginNanos when it began, as {@link System#nanoTime()}
   * @param endNanos when its logits were there
   */
  void passed(
      long pass, int sequences, int tokens, int promptTokens, long beginNanos, long endNanos);
}
