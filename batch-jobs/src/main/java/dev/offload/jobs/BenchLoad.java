package dev.offload.jobs;

/**
 * The work of a measurement.
 *
 * @param promptTokens of each request
 * @param generatedTokens of each request
 * @param requests how many, all there from the start
 */
record BenchLoad(int promptTokens, int generatedTokens, int requests) {
  BenchLoad {
    atLeastOne("--prompt-tokens", promptTokens);
    atLeastOne("--generated-tokens", generatedTokens);
    atLeastOne("--requests", requests);
  }

  private static void atLeastOne(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(name + " is " + value + ", must be at least 1");
    }
  }
}
