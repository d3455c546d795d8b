package dev.offload.generation;

/**
 * Where scored rows go, in the order in which they finish. Called by the engine's thread. It may
 * only queue the row; that the row is safe on disk is the sink's to say.
 */
@FunctionalInterface
public interface ChoiceSink {
  void finished(ChoiceResult result);
}
