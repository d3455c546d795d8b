package dev.offload.planner;

import java.util.List;
import java.util.OptionalLong;

/**
 * What is to be computed.
 *
 * @param lengths how long requests are, at least one entry
 * @param requests how many there are in all; absent means so many that how they begin and end does
 *     not matter
 */
public record Workload(List<Lengths> lengths, OptionalLong requests) {

  /**
   * Requests of equal lengths.
   *
   * @param promptTokens tokens of the prompt, at least 1
   * @param generatedTokens tokens generated, at least 1
   * @param count how many, relative to the other entries
   */
  public record Lengths(int promptTokens, int generatedTokens, long count) {
    public Lengths {
      if (promptTokens < 1 || generatedTokens < 1 || count < 1) {
        throw new IllegalArgumentException(
            "%d requests of %d + %d tokens, all three must be at least 1"
                .formatted(count, promptTokens, generatedTokens));
      }
    }
  }

  public Workload {
    lengths = List.copyOf(lengths);
    if (lengths.isEmpty() || requests.orElse(1) < 1) {
      throw new IllegalArgumentException("a workload without requests cannot be planned");
    }
  }

  /** Requests of one length. */
  public static Workload of(int promptTokens, int generatedTokens, OptionalLong requests) {
    return new Workload(List.of(new Lengths(promptTokens, generatedTokens, 1)), requests);
  }

  /**
   * The same requests, but those that are longer cut, prompts first.
   *
   * @param tokens of prompt and output together, at least 2
   */
  public Workload cut(int tokens) {
    return new Workload(
        lengths.stream()
            .map(
                each -> {
                  int generated = Math.min(each.generatedTokens(), tokens - 1);
                  int prompt = Math.min(each.promptTokens(), tokens - generated);
                  return new Lengths(prompt, generated, each.count());
                })
            .toList(),
        requests);
  }

  /** Prompt tokens of a request on average. */
  public double meanPromptTokens() {
    return mean(each -> each.promptTokens());
  }

  /** Generated tokens of a request on average. */
  public double meanGeneratedTokens() {
    return mean(each -> each.generatedTokens());
  }

  /** Tokens of the longest request. */
  public int longest() {
    return lengths.stream()
        .mapToInt(each -> each.promptTokens() + each.generatedTokens())
        .max()
        .orElseThrow();
  }

  private double mean(java.util.function.ToDoubleFunction<Lengths> of) {
    double sum = 0;
    double count = 0;
    for (Lengths each : lengths) {
      sum += of.applyAsDouble(each) * each.count();
      count += each.count();
    }
    return sum / count;
  }
}
