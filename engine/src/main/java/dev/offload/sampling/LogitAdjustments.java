package dev.offload.sampling;

import dev.offload.generation.SamplingParams;
import dev.offload.generation.TokenIds;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;

/**
 * What is done to single logits before a token is chosen: bias, end tokens that may not come yet,
 * penalties, in this order. All of it touches few tokens, so the row is changed in place and put
 * back afterwards. Not thread-safe; belongs to one output.
 */
final class LogitAdjustments {
  private final int[] biasTokens;
  private final float[] biases;
  private final TokenIds endTokens;
  private final int minTokens;
  private final float repetitionPenalty;
  private final float presencePenalty;
  private final float frequencyPenalty;
  private final TokenCounts counts;

  private int[] changedTokens = new int[16];
  private float[] formerLogits = new float[16];
  private int changes;

  /**
   * The adjustments a request asks for, or empty if it asks for none.
   *
   * @param endTokens tokens that may not come before {@code min_tokens}
   */
  static Optional<LogitAdjustments> of(
      SamplingParams sampling, TokenIds prompt, TokenIds endTokens) {
    var adjustments = new LogitAdjustments(sampling, prompt, endTokens);
    return adjustments.isNothing() ? Optional.empty() : Optional.of(adjustments);
  }

  private LogitAdjustments(SamplingParams sampling, TokenIds prompt, TokenIds endTokens) {
    biasTokens = sampling.logitBias().keySet().stream().mapToInt(Integer::intValue).toArray();
    biases = biases(sampling.logitBias(), biasTokens);
    this.endTokens = endTokens;
    minTokens = sampling.minTokens();
    repetitionPenalty = (float) sampling.repetitionPenalty();
    presencePenalty = (float) sampling.presencePenalty();
    frequencyPenalty = (float) sampling.frequencyPenalty();
    counts = hasPenalties() ? new TokenCounts() : null;
    if (repetitionPenalty != 1) {
      prompt.stream().forEach(counts::seenInPrompt);
    }
  }

  private static float[] biases(Map<Integer, Double> bias, int[] tokens) {
    float[] values = new float[tokens.length];
    for (int i = 0; i < tokens.length; i++) {
      values[i] = bias.get(tokens[i]).floatValue();
    }
    return values;
  }

  private boolean isNothing() {
    return biasTokens.length == 0 && minTokens == 0 && counts == null;
  }

  private boolean hasPenalties() {
    return repetitionPenalty != 1 || presencePenalty != 0 || frequencyPenalty != 0;
  }

  /** Counts a token of the output. */
  void generated(int token) {
    if (counts != null) {
      counts.generated(token);
    }
  }

  /** Changes the row for the token at {@code position} of the output. */
  void apply(LogitsRow row, int position) {
    for (int i = 0; i < biasTokens.length; i++) {
      change(row, biasTokens[i], row.get(biasTokens[i]) + biases[i]);
    }
    if (position < minTokens) {
      for (int i = 0; i < endTokens.size(); i++) {
        change(row, endTokens.get(i), Float.NEGATIVE_INFINITY);
      }
    }
    if (counts != null) {
      for (int entry = 0; entry < counts.size(); entry++) {
        int token = counts.token(entry);
        change(row, token, penalized(row.get(token), counts.count(entry)));
      }
    }
  }

  private float penalized(float logit, int count) {
    float penalized = logit > 0 ? logit / repetitionPenalty : logit * repetitionPenalty;
    return count == 0 ? penalized : penalized - count * frequencyPenalty - presencePenalty;
  }

  private void change(LogitsRow row, int token, float logit) {
    if (changes == changedTokens.length) {
      changedTokens = Arrays.copyOf(changedTokens, 2 * changes);
      formerLogits = Arrays.copyOf(formerLogits, 2 * changes);
    }
    changedTokens[changes] = token;
    formerLogits[changes++] = row.get(token);
    row.set(token, logit);
  }

  /** Puts the row back as the model made it. */
  void undo(LogitsRow row) {
    while (changes > 0) {
      changes--;
      row.set(changedTokens[changes], formerLogits[changes]);
    }
  }
}
