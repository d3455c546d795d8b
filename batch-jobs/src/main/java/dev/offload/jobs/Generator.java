package dev.offload.jobs;

import dev.offload.engine.Progress;
import dev.offload.generation.RequestSource;
import dev.offload.generation.ResultSink;
import dev.offload.jobs.rows.PromptEncoder;

/** A model that is ready to answer rows; the one thing of the engine that a job needs. */
interface Generator extends AutoCloseable {
  /** How prompts become tokens, and the model's limits. Used by one thread beside {@link #run}. */
  PromptEncoder prompts();

  /**
   * Answers all rows of the source, and returns when the last answer was handed to the sink.
   *
   * @param listener is told how far it has come, after every pass
   */
  void run(RequestSource source, ResultSink sink, Progress.Listener listener);

  @Override
  void close();
}
