package dev.offload.generation;

import java.util.List;
import java.util.Optional;

/**
 * What came out for one row.
 *
 * @param index number of the row, as in the request
 * @param prompt the prompt's token ids
 * @param choices n outputs in order
 */
public record GenerationResult(long index, TokenIds prompt, List<Choice> choices) {
  public GenerationResult {
    choices = List.copyOf(choices);
  }

  /**
   * One output.
   *
   * @param tokens generated ids, the end token included if one was generated
   * @param text decoded without special tokens, without the stop text
   * @param finishReason why it ended
   * @param logprobs one per token, if asked for
   */
  public record Choice(
      TokenIds tokens,
      String text,
      FinishReason finishReason,
      Optional<List<TokenLogprob>> logprobs) {}

  /** Why an output ended. */
  public enum FinishReason {
    /** An end token, a stop token or a stop text. */
    STOP,
    /** max_tokens or the model's context length. */
    LENGTH
  }

  /**
   * Log-probability of a token under the model (before penalties, temperature and the like).
   *
   * @param token its id
   * @param text the bytes it stands for, broken UTF-8 shown as U+FFFD
   * @param logprob natural logarithm
   * @param top the most likely tokens at this place, falling; their own {@code top} is empty
   */
  public record TokenLogprob(int token, String text, double logprob, List<TokenLogprob> top) {}
}
