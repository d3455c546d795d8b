package dev.offload.jobs;

/**
 * The work of a measurement.
 *
 * @param promptTokens of each request
 * @param sharedTokens of these at the beginning that are the same in all requests
 * @param generatedTokens of each request, or on average if they may have more
 * @param maxTokens most that a request may have, as far as the engine knows
 * @param requests how many, all there from the start
 */
record BenchLoad(
    int promptTokens, int sharedTokens, int generatedTokens, int maxTokens, int requests) {
  private static final int WARM_UP_PROMPT_TOKENS = 512;
  private static final int WARM_UP_GENERATED_TOKENS = 8;

  BenchLoad {
    atLeastOne("--prompt-tokens", promptTokens);
    atLeastOne("--generated-tokens", generatedTokens);
    atLeastOne("--requests", requests);
    if (sharedTokens < 0 || sharedTokens >= promptTokens) {
      throw new IllegalArgumentException(
          "--shared-prefix-tokens is %d, must be from 0 to %d, one less than --prompt-tokens"
              .formatted(sharedTokens, promptTokens - 1));
    }
    if (maxTokens < generatedTokens) {
      throw new IllegalArgumentException(
          "--max-tokens is %d, must be at least --generated-tokens, %d"
              .formatted(maxTokens, generatedTokens));
    }
  }

  /** Whether requests end at different lengths, without the engine knowing before. */
  boolean isUneven() {
    return maxTokens > generatedTokens;
  }

  /** The longest output of all. */
  int longestOutput() {
    return Math.min(maxTokens, 2 * generatedTokens - 1);
  }

  /** A short load of the same kind: a pass or so of prompts and some steps of decode. */
  BenchLoad warmUp() {
    int prompts = Math.ceilDiv(WARM_UP_PROMPT_TOKENS, promptTokens);
    int generated = Math.min(generatedTokens, WARM_UP_GENERATED_TOKENS);
    return new BenchLoad(
        promptTokens, sharedTokens, generated, generated, Math.min(requests, prompts));
  }

  private static void atLeastOne(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(name + " is " + value + ", must be at least 1");
    }
  }
}
