package dev.offload.sampling;

import dev.offload.backends.api.LargestNumbers;
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

  /** How many of the likeliest tokens it tells. */
  int top() {
    return top;
  }

  TokenLogprob read(LogitsRow row, int token) {
    TokenLogprobs logprobs = new TokenLogprobs(row);
    if (top == 0) {
      return logprob(token, logprobs.of(token), List.of());
    }
    LargestNumbers best = row.largest(top);
    best.sort();
    List<TokenLogprob> likeliest = new ArrayList<>(best.size());
    for (int rank = 0; rank < best.size(); rank++) {
      likeliest.add(logprob(best.column(rank), logprobs.of(best.column(rank)), List.of()));
    }
    return logprob(token, logprobs.of(token), List.copyOf(likeliest));
  }

  /**
   * As above, from the largest logits and the sum of all exponentials.
   *
   * @param best the token among them, and at least {@link #top}
   */
  TokenLogprob read(BestLogits best, int token) {
    double logSum = best.logSumExp();
    double ofToken = Double.NaN;
    List<TokenLogprob> likeliest = new ArrayList<>(top);
    for (int rank = 0; rank < best.size(); rank++) {
      double logprob = best.logit(rank) - logSum;
      if (best.token(rank) == token) {
        ofToken = logprob;
      }
      if (rank < top) {
        likeliest.add(logprob(best.token(rank), logprob, List.of()));
      }
    }
    return logprob(token, ofToken, List.copyOf(likeliest));
  }

  private TokenLogprob logprob(int token, double logprob, List<TokenLogprob> others) {
    String text = tokenizer.map(t -> t.tokenText(token)).orElse("");
    return new TokenLogprob(token, text, logprob, others);
  }
}
