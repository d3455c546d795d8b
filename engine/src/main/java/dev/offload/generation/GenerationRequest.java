package dev.offload.generation;

import dev.offload.constraint.TextConstraint;
import java.util.Optional;

/**
 * One row to generate for.
 *
 * @param index the caller's number of the row, returned with the result
 * @param prompt at least one token id
 * @param sampling how to choose tokens
 * @param constraint what the text must be, unless an output ends because it is too long. Tokens are
 *     chosen among those that can still lead there, and the output ends when nothing can follow;
 *     stop texts, {@code min_tokens} and {@code ignore_eos} would contradict it
 */
public record GenerationRequest(
    long index, TokenIds prompt, SamplingParams sampling, Optional<TextConstraint> constraint) {
  public GenerationRequest {
    if (prompt.size() == 0) {
      throw new IllegalArgumentException("prompt is empty");
    }
    if (constraint.isPresent()) {
      refuse("stop", !sampling.stop().isEmpty());
      refuse("min_tokens", sampling.minTokens() > 0);
      refuse("ignore_eos", sampling.ignoreEos());
    }
  }

  /** A row whose text may be anything. */
  public GenerationRequest(long index, TokenIds prompt, SamplingParams sampling) {
    this(index, prompt, sampling, Optional.empty());
  }

  private static void refuse(String parameter, boolean given) {
    if (given) {
      throw new IllegalArgumentException(
          parameter + " contradicts a constraint, which alone says when the text may end");
    }
  }
}
