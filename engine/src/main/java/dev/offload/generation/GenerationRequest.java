package dev.offload.generation;

/**
 * One row to generate for.
 *
 * @param index the caller's number of the row, returned with the result
 * @param prompt at least one token id
 * @param sampling how to choose tokens
 */
public record GenerationRequest(long index, TokenIds prompt, SamplingParams sampling) {
  public GenerationRequest {
    if (prompt.size() == 0) {
      throw new IllegalArgumentException("prompt is empty");
    }
  }
}
