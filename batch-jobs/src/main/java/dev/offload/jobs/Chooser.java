package dev.offload.jobs;

import dev.offload.engine.Progress;
import dev.offload.generation.ChoiceSink;
import dev.offload.generation.ChoiceSource;
import dev.offload.jobs.rows.PromptEncoder;

/**
 * A model that is ready to choose among labels; the one thing of the engine that labeling needs.
 */
interface Chooser extends AutoCloseable {
  /**
   * How prompts become tokens, and the model's limits. Used by one thread beside {@link #choose}.
   */
  PromptEncoder prompts();

  /**
   * Answers all requests of the source, and returns when the last answer was handed to the sink.
   *
   * @param listener is told how far it has come, after every pass
   */
  void choose(ChoiceSource source, ChoiceSink sink, Progress.Listener listener);

  @Override
  void close();
}
