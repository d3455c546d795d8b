package dev.offload.engine;

import dev.offload.generation.SamplingParams;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/** Sampling parameters of a test: greedy with log-probabilities, but for what is said. */
record SamplingFixture(
    int maxTokens, double temperature, OptionalLong seed, int choices, List<String> stop) {
  SamplingFixture(int maxTokens) {
    this(maxTokens, 0, OptionalLong.empty(), 1, List.of());
  }

  SamplingFixture sampled(double temperature, long seed) {
    return new SamplingFixture(maxTokens, temperature, OptionalLong.of(seed), choices, stop);
  }

  SamplingFixture withChoices(int n) {
    return new SamplingFixture(maxTokens, temperature, seed, n, stop);
  }

  SamplingFixture withStop(String... texts) {
    return new SamplingFixture(maxTokens, temperature, seed, choices, List.of(texts));
  }

  SamplingParams params() {
    return new SamplingParams(
        temperature,
        1,
        0,
        0,
        1,
        0,
        0,
        Map.of(),
        seed,
        maxTokens,
        0,
        false,
        stop,
        List.of(),
        choices,
        0);
  }
}
