package dev.offload.engine;

import dev.offload.generation.GenerationRequest;
import java.lang.foreign.MemorySegment;

/** Sees the logits that tokens are chosen from. Called by the engine's thread. */
@FunctionalInterface
interface LogitsObserver {
  /**
   * Called before each token.
   *
   * @param generated tokens that the output has already
   * @param logits float32 {@code [vocabulary]}; valid during the call, to be read only
   */
  void logits(GenerationRequest request, int generated, MemorySegment logits);
}
