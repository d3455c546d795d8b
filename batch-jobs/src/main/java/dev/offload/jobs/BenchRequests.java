package dev.offload.jobs;

import dev.offload.generation.GenerationRequest;
import dev.offload.generation.RequestSource;
import dev.offload.generation.SamplingParams;
import dev.offload.generation.TokenIds;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;

/** Made-up requests: random prompts, greedy, never ending early. The same every time. */
final class BenchRequests implements RequestSource {
  private final BenchLoad load;
  private final int vocabularySize;
  private final SamplingParams sampling;
  private final Random random = new Random(1);
  private int next;

  BenchRequests(BenchLoad load, int vocabularySize) {
    this.load = load;
    this.vocabularySize = vocabularySize;
    int most = load.generatedTokens();
    this.sampling =
        new SamplingParams(
            0,
            1,
            0,
            0,
            1,
            0,
            0,
            Map.of(),
            OptionalLong.empty(),
            most,
            0,
            true,
            List.of(),
            List.of(),
            1,
            -1);
  }

  @Override
  public Optional<GenerationRequest> next() {
    if (next == load.requests()) {
      return Optional.empty();
    }
    int[] prompt = random.ints(load.promptTokens(), 0, vocabularySize).toArray();
    return Optional.of(new GenerationRequest(next++, TokenIds.of(prompt), sampling));
  }
}
