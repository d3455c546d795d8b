package dev.offload.jobs;

import dev.offload.engine.Forecast;
import dev.offload.generation.GenerationRequest;
import dev.offload.generation.RequestSource;
import dev.offload.generation.SamplingParams;
import dev.offload.generation.TokenIds;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Made-up requests: random prompts that begin alike as far as the load says, greedy. They end at
 * the most they may have or, if the load is uneven, at lengths that only the requests know, spread
 * evenly around the average. The same every time.
 */
final class BenchRequests implements RequestSource {
  private final BenchLoad load;
  private final int vocabularySize;

  /** Ends a request that is to end early: it is forbidden until then, and certain afterwards. */
  private static final int END_TOKEN = 0;

  private static final double CERTAIN = 100;

  private final Random random = new Random(1);
  private final int[] shared;
  private int next;

  BenchRequests(BenchLoad load, int vocabularySize) {
    this.load = load;
    this.vocabularySize = vocabularySize;
    this.shared = random.ints(load.sharedTokens(), 0, vocabularySize).toArray();
  }

  @Override
  public Optional<GenerationRequest> next() {
    if (next == load.requests()) {
      return Optional.empty();
    }
    int own = load.promptTokens() - shared.length;
    int[] prompt =
        IntStream.concat(IntStream.of(shared), random.ints(own, 0, vocabularySize)).toArray();
    return Optional.of(new GenerationRequest(next++, TokenIds.of(prompt), sampling()));
  }

  /** Lengths of the requests from here on, which are taken by this. */
  Iterator<Forecast.Row> lengths() {
    return Stream.generate(this::next)
        .takeWhile(Optional::isPresent)
        .map(Optional::get)
        .map(
            request ->
                new Forecast.Row(
                    request.prompt().size(),
                    load.isUneven()
                        ? Math.min(load.maxTokens(), request.sampling().minTokens() + 1)
                        : load.generatedTokens(),
                    load.maxTokens()))
        .iterator();
  }

  private SamplingParams sampling() {
    if (!load.isUneven()) {
      return sampling(Map.of(), 0, List.of());
    }
    int length = 1 + random.nextInt(load.longestOutput());
    return sampling(Map.of(END_TOKEN, CERTAIN), length - 1, List.of(END_TOKEN));
  }

  private SamplingParams sampling(
      Map<Integer, Double> bias, int minTokens, List<Integer> endTokens) {
    return new SamplingParams(
        0,
        1,
        0,
        0,
        1,
        0,
        0,
        bias,
        OptionalLong.empty(),
        load.maxTokens(),
        minTokens,
        true,
        List.of(),
        endTokens,
        1,
        -1);
  }
}
