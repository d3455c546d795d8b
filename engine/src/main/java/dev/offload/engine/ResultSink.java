package dev.offload.engine;

/**
 * Where finished rows go, in the order in which they finish. Called by the engine's thread. A row
 * counts as finished when this returns.
 */
@FunctionalInterface
public interface ResultSink {
  void finished(GenerationResult result);
}
