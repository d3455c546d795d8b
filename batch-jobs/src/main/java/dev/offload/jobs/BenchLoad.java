package dev.offload.jobs;

/**
 * The work of a measurement.
 *
 * @param promptTokens of each request
 * @param generatedTokens of each request
 * @param requests how many, all there from the start
 */
record BenchLoad(int promptTokens, int generatedTokens, int requests) {
  private static final int WARM_UP_PROMPT_TOKENS = 512;
  private static final int WARM_UP_GENERATED_TOKENS = 8;

  BenchLoad {
    atLeastOne("--prompt-tokens", promptTokens);
    atLeastOne("--generated-tokens", generatedTokens);
    atLeastOne("--requests", requests);
  }

  /** A short load of the same kind: a pass or so of prompts and some steps of decode. */
  BenchLoad warmUp() {
    int prompts = Math.ceilDiv(WARM_UP_PROMPT_TOKENS, promptTokens);
    return new BenchLoad(
        promptTokens,
        Math.min(generatedTokens, WARM_UP_GENERATED_TOKENS),
        Math.min(requests, prompts));
  }

  private static void atLeastOne(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(name + " is " + value + ", must be at least 1");
    }
  }
}
