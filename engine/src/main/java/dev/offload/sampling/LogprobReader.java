package dev.offload.sampling;

import dev.offload.generation.GenerationResult.TokenLogprob;
import dev.offload.text.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads log-probabilities of the model's own distribution from a row of logits, in double. */
final class LogprobReader {
  private final Optional<Tokenizer> tokenizer;
  private final int top;

  /**
   * @param top how many of the likeliest tokens to tell with each token, at least 0
   */
  LogprobReader(Optional<Tokenizer> tokenizer, int top) {
    this.tokenizer = tokenizer;
    this.top = top;
  }

  TokenLogprob read(LogitsRow row, int token) {
    TokenLogprobs logprobs = new TokenLogprobs(row);
    return logprob(token, logprobs, likeliest(row, logprobs));
  }

  private List<TokenLogprob> likeliest(LogitsRow row, TokenLogprobs logprobs) {
    if (top == 0) {
      return List.of();
    }
    Candidates best = row.largest(top);
    best.sort();
    List<TokenLogprob> likeliest = new ArrayList<>(best.size());
    for (int rank = 0; rank < best.size(); rank++) {
      likeliest.add(logprob(best.token(rank), logprobs, List.of()));
    }
    return List.copyOf(likeliest);
  }

  private TokenLogprob logprob(int token, TokenLogprobs logprobs, List<TokenLogprob> others) {
    String text = tokenizer.map(t -> t.tokenText(token)).orElse("");
    return new TokenLogprob(token, text, logprobs.of(token), others);
  }
}
