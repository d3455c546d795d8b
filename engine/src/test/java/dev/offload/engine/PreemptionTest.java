package dev.offload.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.engine.prefix.PrefixSharing;
import dev.offload.engine.weights.WeightStore;
import dev.offload.generation.ChoiceRequest;
import dev.offload.generation.ChoiceResult;
import dev.offload.generation.GenerationRequest;
import dev.offload.generation.GenerationResult;
import dev.offload.generation.GenerationResult.Choice;
import dev.offload.generation.SamplingParams;
import dev.offload.generation.TokenIds;
import dev.offload.planner.KvGroup;
import dev.offload.planner.Plan;
import dev.offload.planner.UnitSize;
import dev.offload.tensors.DType;
import dev.offload.tensors.Tier;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.tensors.weights.UnitId;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rows whose sequences were preempted get the answers of those that were not. */
class PreemptionTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures");

  /** Unlike the system's temporary folder never in memory. */
  private static final Path FOLDER = Path.of("target");

  private static final long MEMORY = 1L << 28;
  private static final int MOST_PROMPT = 40;
  private static final int MOST_GENERATED = 60;

  /** Of the largest logit; passes of other sizes add up in another order. */
  private static final float ROUNDING = 1e-4f;

  /** Rounds in which something is both copied out and computed again. */
  private static final int MOST_ROUNDS = 12;

  @ParameterizedTest
  @CsvSource({
    "cpu, llama31-gqa, 1, 3",
    "cpu, phi3-longrope, 2, 2",
    "cpu, llama-dynamic, 4, 2",
    "cpu, qwen3-moe, 5, 2",
    "cpu, gpt-oss-bf16, 7, 2",
    "cpu, deepseek-v2-lite, 8, 2",
    "cuda, llama31-gqa, 1, 3",
    "cuda, qwen3-moe, 5, 2",
    "cuda, gpt-oss-bf16, 7, 2"
  })
  void shouldGiveWhatAmpleCacheGives(String backend, String name, long seed, int rounds)
      throws IOException {
    Random random = new Random(seed);
    long swapped = 0;
    long recomputed = 0;
    try (ModelFolder folder = ModelFolder.open(FIXTURES.resolve(name))) {
      EngineModel model = EngineModel.of(folder);
      List<GenerationRequest> requests = requests(model, random);
      List<ChoiceRequest> choices =
          RandomChoices.rows(6, MOST_PROMPT, model.config().vocabularySize(), random);
      Run ample =
          run(backend, model, ample(backend, model, random), requests, choices, random.nextLong());
      assertEquals(0, ample.report.flight().preemptions());
      // What is preempted depends on the device's block size too.
      for (int round = 0;
          round < rounds || (round < MOST_ROUNDS && !both(swapped, recomputed));
          round++) {
        int microBatches = 1 + random.nextInt(2);
        int tokens = 8 + random.nextInt(60);
        int blocks = leastBlocks(backend, model) + random.nextInt(1 + round % rounds * 4);
        int sequences = 3 + random.nextInt(8);
        int swap = round % 2 * 2 * blocks;
        Plan tight = plan(backend, model, microBatches, sequences, blocks, tokens, swap, 0, random);
        Run run = run(backend, model, tight, requests, choices, random.nextLong());
        String what = "round " + round + " with " + tight.kvGroups();
        assertEquals(promptTokens(ample.report), promptTokens(run.report), what);
        assertTrue(run.report.sharedPromptTokens() > 0, what);
        RunReport.Flight flight = run.report.flight();
        assertTrue(
            flight.preemptions() > 0 || flight.recomputedTokens() + flight.swappedBytes() == 0,
            what);
        assertTrue(tight.swapBlocks() > 0 || flight.swappedBytes() == 0, what);
        swapped += flight.swappedBytes();
        recomputed += flight.recomputedTokens();
        requests.forEach(request -> compare(ample, run, request, what));
        choices.forEach(row -> compare(ample, run, row, what));
      }
    }
    assertTrue(both(swapped, recomputed), swapped + " bytes, " + recomputed + " tokens");
  }

  private static boolean both(long swapped, long recomputed) {
    return swapped > 0 && recomputed > 0;
  }

  /** In a folder that is not there the file cannot be made. */
  @ParameterizedTest
  @CsvSource({
    "cpu, llama31-gqa, ., true",
    "cpu, gpt-oss-bf16, ., true",
    "cpu, llama31-gqa, nowhere, false",
    "cuda, llama31-gqa, ., true"
  })
  void shouldGiveItWhereOnlyAFileHasRoom(
      String backend, String name, String folderName, boolean works) throws IOException {
    Random random = new Random(8);
    try (ModelFolder folder = ModelFolder.open(FIXTURES.resolve(name))) {
      EngineModel model = EngineModel.of(folder);
      List<GenerationRequest> requests = requests(model, random);
      Run ample =
          run(
              backend,
              model,
              ample(backend, model, random),
              requests,
              List.of(),
              random.nextLong());
      int blocks = leastBlocks(backend, model);
      Plan tight = plan(backend, model, 1, 8, blocks, 40, 0, blocks, random);
      PassTimes dear = new PassTimes();
      dear.add(1_000_000, Long.MAX_VALUE / 4);
      Path temporary = FOLDER.resolve(folderName);
      Run run = run(backend, model, tight, requests, List.of(), random.nextLong(), temporary, dear);
      RunReport.Flight flight = run.report.flight();
      String what = flight + " with " + tight.kvGroups();
      assertTrue(flight.preemptions() > 0, what);
      assertEquals(0, flight.swappedBytes(), what);
      assertEquals(works, flight.diskSwappedBytes() > 0, what);
      assertTrue(works || flight.recomputedTokens() > 0, what);
      requests.forEach(request -> compare(ample, run, request, what));
    }
  }

  /** Those that a row shares with others are counted with what it was spared. */
  private static long promptTokens(RunReport report) {
    return report.promptTokens() + report.sharedPromptTokens();
  }

  private static void compare(Run ample, Run run, GenerationRequest request, String what) {
    long row = request.index();
    Choice expected = ample.results.get(row).choices().getFirst();
    Choice actual = run.results.get(row).choices().getFirst();
    assertEquals(actual.tokens().size(), actual.logprobs().orElseThrow().size(), what);
    for (int step = 0; step < expected.tokens().size(); step++) {
      float[] logits = ample.logits.get(row).get(step);
      float bound = ROUNDING * largest(logits);
      String where = what + ", row " + row + ", token " + step;
      assertArrayEquals(logits, run.logits.get(row).get(step), bound, where);
      if (expected.tokens().get(step) != actual.tokens().get(step)) {
        float margin = logits[expected.tokens().get(step)] - logits[actual.tokens().get(step)];
        assertTrue(margin <= 2 * bound, where + " is another one, margin " + margin);
        return;
      }
    }
    assertEquals(expected.tokens(), actual.tokens(), what + ", row " + row);
    assertEquals(expected.finishReason(), actual.finishReason(), what + ", row " + row);
  }

  private static void compare(Run ample, Run run, ChoiceRequest request, String what) {
    List<Double> expected = ample.scores.get(request.index()).logLikelihoods();
    List<Double> actual = run.scores.get(request.index()).logLikelihoods();
    for (int c = 0; c < expected.size(); c++) {
      assertEquals(expected.get(c), actual.get(c), 1e-3, what + ", row " + request.index());
    }
  }

  private static float largest(float[] logits) {
    float largest = 1;
    for (float logit : logits) {
      largest = Math.max(largest, Math.abs(logit));
    }
    return largest;
  }

  /**
   * Rows that may get many tokens, of which most begin alike; the first ones end early, which lets
   * too many others in.
   */
  private static List<GenerationRequest> requests(EngineModel model, Random random) {
    List<GenerationRequest> requests = new ArrayList<>();
    int vocabulary = model.config().vocabularySize();
    int[] common = random.ints(MOST_PROMPT / 2, 0, vocabulary).toArray();
    for (int i = 0; i < 16; i++) {
      int[] prompt = random.ints(1 + random.nextInt(MOST_PROMPT), 0, vocabulary).toArray();
      if (i % 3 > 0) {
        System.arraycopy(common, 0, prompt, 0, Math.min(common.length, prompt.length));
      }
      int most = MOST_GENERATED - random.nextInt(MOST_GENERATED / 3);
      List<Integer> ends =
          i < 8 ? random.ints(vocabulary, 0, vocabulary).boxed().distinct().toList() : List.of();
      requests.add(new GenerationRequest(i, TokenIds.of(prompt), sampling(most, ends)));
    }
    return requests;
  }

  private static SamplingParams sampling(int most, List<Integer> ends) {
    return new SamplingParams(
        0,
        1,
        0,
        0,
        1.1,
        0,
        0,
        Map.of(),
        OptionalLong.empty(),
        most,
        0,
        true,
        List.of(),
        ends,
        1,
        2);
  }

  private static Plan ample(String backend, EngineModel model, Random random) throws IOException {
    return plan(backend, model, 1, 16, 1024, 512, 0, 0, random);
  }

  /** Everything on the device but the cache, whose groups live anywhere. */
  private static Plan plan(
      String backend,
      EngineModel model,
      int microBatches,
      int sequences,
      int blocks,
      int tokens,
      int swap,
      int diskSwap,
      Random random)
      throws IOException {
    Map<UnitId, Tier> placement = new HashMap<>();
    long largest = 0;
    try (TestDevices devices = open(backend)) {
      for (UnitSize unit :
          WeightStore.sizes(
              model.units(),
              DType.F32,
              devices.device().operations(),
              devices.host().operations())) {
        placement.put(unit.id(), Tier.DEVICE);
        largest = Math.max(largest, unit.imageBytes());
      }
    }
    List<KvGroup.Home> homes = List.of(KvGroup.Home.values());
    List<KvGroup> groups = new ArrayList<>();
    for (int i = 0; i < microBatches; i++) {
      KvGroup.Home home = homes.get(random.nextInt(homes.size()));
      groups.add(new KvGroup(home, blocks, sequences));
    }
    return new Plan(
        DType.F32,
        placement,
        groups,
        1,
        Math.max(tokens, sequences),
        0,
        0,
        swap,
        diskSwap,
        largest);
  }

  /** For the longest row of all that there may be. */
  private static int leastBlocks(String backend, EngineModel model) throws IOException {
    try (TestDevices devices = open(backend)) {
      int blockTokens =
          new EnginePlanner(model, devices.device().operations(), DType.F32).kvBlockTokens();
      return Math.ceilDiv(MOST_PROMPT + MOST_GENERATED, blockTokens);
    }
  }

  private static Run run(
      String backend,
      EngineModel model,
      Plan plan,
      List<GenerationRequest> requests,
      List<ChoiceRequest> choices,
      long seed) {
    return run(backend, model, plan, requests, choices, seed, FOLDER, new PassTimes());
  }

  private static Run run(
      String backend,
      EngineModel model,
      Plan plan,
      List<GenerationRequest> requests,
      List<ChoiceRequest> choices,
      long seed,
      Path temporary,
      PassTimes times) {
    Random random = new Random(seed);
    EngineOptions options =
        new EngineOptions(
            Optional.of(DType.F32),
            MEMORY,
            MEMORY,
            2,
            0,
            Batching.of(plan.maxSequences(), plan.kvGroups().size(), plan.microBatchTokens()),
            Optional.empty(),
            OptionalInt.empty(),
            Optional.empty(),
            AdmissionPolicy.EXPECTED_LENGTH,
            PrefixSharing.USUAL,
            Optional.of(temporary),
            random.nextInt(3) > 0);
    Run run = new Run();
    Iterator<GenerationRequest> source = requests.iterator();
    Iterator<ChoiceRequest> rows = choices.iterator();
    try (TestDevices devices = open(backend);
        Engine engine =
            Engine.open(
                model, Optional.empty(), devices.device(), devices.host(), options, plan, times)) {
      run.report =
          engine.run(
              () -> next(source),
              result -> run.results.put(result.index(), result),
              _ -> {},
              (request, generated, logits) -> {
                List<float[]> all =
                    run.logits.computeIfAbsent(request.index(), _ -> new ArrayList<>());
                assertEquals(all.size(), generated, "each token's logits come once");
                all.add(logits.toArray(ValueLayout.JAVA_FLOAT));
              });
      engine.choose(() -> next(rows), result -> run.scores.put(result.index(), result), _ -> {});
      checkNothingIsLost(engine, plan);
    }
    return run;
  }

  /** Rows that need all blocks of all groups run side by side. */
  private static void checkNothingIsLost(Engine engine, Plan plan) {
    int[] prompt = new int[engine.maxSequenceTokens() - 1];
    List<ChoiceRequest> rows = new ArrayList<>();
    for (int i = 0; i < plan.kvGroups().size(); i++) {
      rows.add(new ChoiceRequest(i, TokenIds.of(prompt), List.of(TokenIds.of(1))));
    }
    Iterator<ChoiceRequest> source = rows.iterator();
    RunReport report = engine.choose(() -> next(source), _ -> {}, _ -> {});
    assertEquals(rows.size(), report.rows());
    assertEquals(rows.size(), report.flight().mostSequences());
  }

  private static <T> Optional<T> next(Iterator<T> source) {
    return source.hasNext() ? Optional.of(source.next()) : Optional.empty();
  }

  private static TestDevices open(String backend) {
    return TestDevices.open(backend, MEMORY, MEMORY, 2);
  }

  /** What came out. */
  private static final class Run {
    private final Map<Long, GenerationResult> results = new HashMap<>();
    private final Map<Long, List<float[]>> logits = new HashMap<>();
    private final Map<Long, ChoiceResult> scores = new HashMap<>();
    private RunReport report;
  }
}
