package dev.offload.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.engine.prefix.PrefixSharing;
import dev.offload.generation.ChoiceRequest;
import dev.offload.generation.ChoiceResult;
import dev.offload.generation.GenerationRequest;
import dev.offload.generation.TokenIds;
import dev.offload.planner.KvGroup;
import dev.offload.tensors.DType;
import dev.offload.tensors.weights.ModelFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.ServiceLoader;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The likelihoods of choices are those of their tokens, one after the other. */
class ChoiceTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures");
  private static final long MEMORY = 1L << 30;

  /** Of a logit, relative to the largest logit of the model, as in {@link ReferenceModelsTest}. */
  private static final double REFERENCE_ERROR = 1e-4;

  /** Of a sum; products over other numbers of rows add up in another order. */
  private static final double ROUNDING = 1e-4;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama31-gqa",
        "mistral-swa",
        "mixtral",
        "qwen3-moe",
        "gemma2",
        "gpt-oss-bf16",
        "opt-post-proj",
        "glm4-moe",
        "deepseek-v3"
      })
  void shouldGiveTheLikelihoodsOfTheReference(String name) throws IOException {
    JsonNode reference =
        new ObjectMapper().readTree(FIXTURES.resolve(name, "reference.json").toFile());
    double bound = 2 * REFERENCE_ERROR * Math.max(1, reference.get("logit_scale").asDouble());
    List<ChoiceRequest> rows = new ArrayList<>();
    List<List<Double>> expected = new ArrayList<>();
    for (JsonNode prompt : reference.get("prompts")) {
      int[] continuation = ids(prompt.path("continuation").path("ids"));
      if (continuation.length > 0) {
        // Each of them begins with the one before.
        List<TokenIds> choices = new ArrayList<>();
        List<Double> sums = new ArrayList<>();
        double sum = 0;
        for (int length = 1; length <= Math.min(6, continuation.length); length++) {
          choices.add(TokenIds.of(IntStream.of(continuation).limit(length).toArray()));
          sum += prompt.get("continuation").get("logprobs").get(length - 1).asDouble();
          sums.add(sum);
        }
        rows.add(
            new ChoiceRequest(rows.size(), TokenIds.of(ids(prompt.get("input_ids"))), choices));
        expected.add(sums);
      }
    }
    assertTrue(rows.size() >= 4, rows.size() + " prompts with a continuation");
    Map<Long, ChoiceResult> results = choose(name, options(128, 1, 512), rows);
    for (ChoiceRequest row : rows) {
      List<Double> sums = expected.get((int) row.index());
      for (int c = 0; c < sums.size(); c++) {
        assertEquals(
            sums.get(c),
            results.get(row.index()).logLikelihoods().get(c),
            (c + 1) * bound,
            name + ", row " + row.index() + ", choice " + c);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama31-gqa",
        "mistral-swa",
        "gemma3-text",
        "mixtral",
        "qwen2-moe",
        "gpt-oss-bf16",
        "neox-pythia",
        "deepseek-v2-lite"
      })
  void shouldGiveWhatTeacherForcingGives(String name) throws IOException {
    Random random = new Random(name.hashCode());
    List<ChoiceRequest> rows = RandomChoices.rows(12, 60, vocabulary(name), random);
    Map<List<Integer>, Integer> forced = new LinkedHashMap<>();
    for (ChoiceRequest row : rows) {
      for (TokenIds choice : row.choices()) {
        for (int i = 0; i < choice.size(); i++) {
          forced.putIfAbsent(before(row, choice, i), forced.size());
        }
      }
    }
    List<GenerationRequest> requests = new ArrayList<>();
    forced.forEach((tokens, index) -> requests.add(TestRun.greedy(index, tokens, 1)));
    TestRun run = TestRun.of(FIXTURES.resolve(name), DType.F32, requests);
    for (EngineOptions options :
        List.of(options(128, 1, 512), options(1, 1, 7), options(5, 2, 9), options(6, 3, 40))) {
      Map<Long, ChoiceResult> results = choose(name, options, rows);
      for (ChoiceRequest row : rows) {
        assertEquals(row.prompt().size(), results.get(row.index()).promptTokens());
        for (int c = 0; c < row.choices().size(); c++) {
          TokenIds choice = row.choices().get(c);
          double sum = 0;
          for (int i = 0; i < choice.size(); i++) {
            float[] logits = run.firstLogits(forced.get(before(row, choice, i)));
            sum += logProbability(logits, choice.get(i));
          }
          assertEquals(
              sum,
              results.get(row.index()).logLikelihoods().get(c),
              ROUNDING,
              () -> name + ", row " + row.index() + ", " + choice + " with " + options);
        }
      }
    }
  }

  /** The prompt and the first tokens of a choice. */
  private static List<Integer> before(ChoiceRequest row, TokenIds choice, int count) {
    List<Integer> tokens = new ArrayList<>(row.prompt().stream().boxed().toList());
    choice.stream().limit(count).forEach(tokens::add);
    return tokens;
  }

  @Test
  void shouldTakeAPassPerBranchAndComputeThePromptOnce() throws IOException {
    List<ChoiceRequest> rows = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      TokenIds prompt = TokenIds.of(IntStream.range(0, 20 + i).toArray());
      rows.add(
          new ChoiceRequest(
              i,
              prompt,
              List.of(
                  TokenIds.of(1, 2, 3, 4, 5, 6),
                  TokenIds.of(1, 2, 3, 7, 8),
                  TokenIds.of(9),
                  TokenIds.of(10, 11))));
    }
    try (Opened opened = new Opened("llama31-gqa", options(64, 1, 512))) {
      RunReport report = opened.choose(rows, new HashMap<>());
      assertEquals(10, report.rows());
      assertEquals(
          IntStream.range(20, 30).sum(), report.promptTokens() + report.sharedPromptTokens());
      // Behind the prompt; 1; 1 2; 1 2 3; 1 2 3 4; 1 2 3 4 5; 1 2 3 7; 10.
      assertEquals(10 * 8, report.generatedTokens());
      assertEquals(1 + 3, report.passes());
    }
  }

  @Test
  void shouldFinishSingleTokensInThePromptsPass() throws IOException {
    List<TokenIds> choices = IntStream.range(0, 100).mapToObj(TokenIds::of).toList();
    List<ChoiceRequest> rows =
        IntStream.range(0, 20)
            .mapToObj(i -> new ChoiceRequest(i, TokenIds.of(i, 5, 6, 7), choices))
            .toList();
    try (Opened opened = new Opened("mixtral", options(64, 1, 512))) {
      assertEquals(1, opened.choose(rows, new HashMap<>()).passes());
    }
  }

  @ParameterizedTest
  @CsvSource({"llama31-gqa, 1", "mistral-swa, 2"})
  void shouldGiveTheCacheBack(String name, int microBatches) throws IOException {
    try (Opened opened = new Opened(name, options(microBatches, microBatches, 16))) {
      int most = opened.engine.maxSequenceTokens();
      assertTrue(most < 512, most + " tokens are not all of the cache");
      List<ChoiceRequest> rows = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        rows.add(row(i, most - 3, TokenIds.of(1, 2, 3), TokenIds.of(1, 3), TokenIds.of(4)));
      }
      Map<Long, ChoiceResult> results = new HashMap<>();
      opened.choose(rows, results);
      assertEquals(5, results.size());
      assertEquals(
          1, results.values().stream().map(ChoiceResult::logLikelihoods).distinct().count());

      ChoiceRequest tooLong = row(6, most - 2, TokenIds.of(1, 2, 3));
      String refusal = opened.refusal(List.of(rows.getFirst(), tooLong));
      assertTrue(refusal.startsWith("row 6 needs a KV cache of " + (most + 1)), refusal);
      ChoiceRequest hostile = row(7, 3, TokenIds.of(1, 1 << 30));
      refusal = opened.refusal(List.of(hostile));
      assertTrue(refusal.startsWith("choice 0 names token 1073741824"), refusal);
      refusal = opened.refusal(List.of(row(8, 500, TokenIds.of(new int[100]))));
      assertTrue(refusal.contains("the longest choice 100"), refusal);

      List<GenerationRequest> requests = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        requests.add(TestRun.greedy(i, List.of(1, 2, 3), most - 3));
      }
      Iterator<GenerationRequest> source = requests.iterator();
      assertEquals(3, opened.engine.run(() -> next(source), _ -> {}, _ -> {}).rows());
    }
  }

  @Test
  void shouldGiveTheCacheBackWhenARowIsRefusedMidway() throws IOException {
    try (Opened opened = new Opened("llama31-gqa", options(2, 1, 16))) {
      int most = opened.engine.maxSequenceTokens();
      ChoiceRequest running = row(0, most / 2 - 16, TokenIds.of(1, 2));
      opened.refusal(List.of(running, row(1, 3, TokenIds.of(-1))));
      ChoiceRequest all = row(2, most - 1, TokenIds.of(1));
      assertEquals(2, opened.choose(List.of(all, all), new HashMap<>()).rows());
    }
  }

  private static <T> Optional<T> next(Iterator<T> source) {
    return source.hasNext() ? Optional.of(source.next()) : Optional.empty();
  }

  private static ChoiceRequest row(long index, int promptTokens, TokenIds... choices) {
    TokenIds prompt = TokenIds.of(IntStream.range(0, promptTokens).map(i -> i % 400).toArray());
    return new ChoiceRequest(index, prompt, List.of(choices));
  }

  private static Map<Long, ChoiceResult> choose(
      String name, EngineOptions options, List<ChoiceRequest> rows) throws IOException {
    Map<Long, ChoiceResult> results = new HashMap<>();
    try (Opened opened = new Opened(name, options)) {
      opened.choose(rows, results);
    }
    assertEquals(rows.size(), results.size());
    return results;
  }

  /** An engine and what it needs. */
  private static final class Opened implements AutoCloseable {
    private final ModelFolder folder;
    private final Device device;
    private final Engine engine;

    Opened(String name, EngineOptions options) throws IOException {
      Backend backend = ServiceLoader.load(Backend.class).findFirst().orElseThrow();
      folder = ModelFolder.open(FIXTURES.resolve(name));
      device = backend.open(new DeviceOptions(0, MEMORY, MEMORY, options.threads()));
      engine = Engine.open(EngineModel.of(folder), Optional.empty(), device, options);
    }

    RunReport choose(List<ChoiceRequest> rows, Map<Long, ChoiceResult> results) {
      Iterator<ChoiceRequest> source = rows.iterator();
      return engine.choose(
          () -> next(source), result -> results.put(result.index(), result), _ -> {});
    }

    String refusal(List<ChoiceRequest> rows) {
      return assertThrows(IllegalArgumentException.class, () -> choose(rows, new HashMap<>()))
          .getMessage();
    }

    @Override
    public void close() throws IOException {
      engine.close();
      device.close();
      folder.close();
    }
  }

  private static EngineOptions options(int sequences, int microBatches, int microBatchTokens) {
    return new EngineOptions(
        Optional.of(DType.F32),
        MEMORY,
        MEMORY,
        2,
        0,
        Batching.of(sequences, microBatches, microBatchTokens),
        Optional.empty(),
        OptionalInt.of(160),
        Optional.of(KvGroup.Home.DEVICE),
        AdmissionPolicy.EXPECTED_LENGTH,
        PrefixSharing.USUAL,
        Optional.empty(),
        true);
  }

  private static int vocabulary(String name) throws IOException {
    try (ModelFolder folder = ModelFolder.open(FIXTURES.resolve(name))) {
      return folder.config().vocabularySize();
    }
  }

  private static int[] ids(JsonNode array) {
    return IntStream.range(0, array.size()).map(i -> array.get(i).asInt()).toArray();
  }

  private static double logProbability(float[] logits, int token) {
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - (double) logits[token]);
    }
    return -Math.log(sum);
  }
}
