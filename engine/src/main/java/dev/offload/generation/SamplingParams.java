package dev.offload.generation;

import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * How tokens are chosen, with the names and meanings of OpenAI's API, and vLLM's where OpenAI has
 * none.
 *
 * @param temperature 0 means greedy
 * @param topP nucleus mass in (0, 1]; 1 means off
 * @param topK candidates kept; 0 means off
 * @param minP least probability relative to the best, in [0, 1]; 0 means off
 * @param repetitionPenalty divides positive and multiplies negative logits of tokens seen in prompt
 *     or output; 1 means off
 * @param presencePenalty subtracted from logits of tokens in the output
 * @param frequencyPenalty subtracted once per occurrence in the output
 * @param logitBias added to the logits of these tokens
 * @param seed of this request; absent means that of the job
 * @param maxTokens most tokens generated, at least 1
 * @param minTokens end tokens and stop strings do not count before this many
 * @param ignoreEos end tokens of the model do not stop
 * @param stop texts that end the output and are not part of it
 * @param stopTokens further ids that end the output
 * @param choices how many outputs per prompt, n
 * @param logprobs −1: none; k ≥ 0: log-probability of each token, and of the k most likely ones
 */
public record SamplingParams(
    double temperature,
    double topP,
    int topK,
    double minP,
    double repetitionPenalty,
    double presencePenalty,
    double frequencyPenalty,
    Map<Integer, Double> logitBias,
    OptionalLong seed,
    int maxTokens,
    int minTokens,
    boolean ignoreEos,
    List<String> stop,
    List<Integer> stopTokens,
    int choices,
    int logprobs) {

  /** Largest {@code logprobs}. */
  public static final int MAX_LOGPROBS = 20;

  /** Largest {@code choices}. */
  public static final int MAX_CHOICES = 128;

  public SamplingParams {
    within("temperature", temperature, 0, 100);
    within("top_p", topP, Double.MIN_VALUE, 1);
    within("top_k", topK, 0, Integer.MAX_VALUE);
    within("min_p", minP, 0, 1);
    within("repetition_penalty", repetitionPenalty, Double.MIN_VALUE, 100);
    within("presence_penalty", presencePenalty, -2, 2);
    within("frequency_penalty", frequencyPenalty, -2, 2);
    within("max_tokens", maxTokens, 1, Integer.MAX_VALUE);
    within("min_tokens", minTokens, 0, maxTokens);
    within("n", choices, 1, MAX_CHOICES);
    within("logprobs", logprobs, -1, MAX_LOGPROBS);
    logitBias = Map.copyOf(logitBias);
    stop = List.copyOf(stop);
    stopTokens = List.copyOf(stopTokens);
    if (stop.contains("")) {
      throw new IllegalArgumentException("stop contains an empty text");
    }
  }

  /** Greedy, everything else off. */
  public static SamplingParams greedy(int maxTokens) {
    return new SamplingParams(
        0,
        1,
        0,
        0,
        1,
        0,
        0,
        Map.of(),
        OptionalLong.empty(),
        maxTokens,
        0,
        false,
        List.of(),
        List.of(),
        1,
        -1);
  }

  private static void within(String name, double value, double least, double most) {
    if (!(value >= least && value <= most)) {
      throw new IllegalArgumentException(
          "%s is %s, must be from %s to %s"
              .formatted(name, plain(value), plain(least), plain(most)));
    }
  }

  private static String plain(double value) {
    if (value == Double.MIN_VALUE) {
      return "above 0";
    }
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? Long.toString((long) value)
        : Double.toString(value);
  }
}
