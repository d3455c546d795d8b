package dev.offload.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.engine.prefix.PrefixSharing;
import dev.offload.engine.weights.WeightStore;
import dev.offload.generation.ChoiceRequest;
import dev.offload.generation.ChoiceResult;
import dev.offload.generation.GenerationRequest;
import dev.offload.generation.GenerationResult;
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
import java.util.ServiceLoader;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rows that share a prefix get the answers of those that do not, with less work and memory. */
class PrefixSharingTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures");
  private static final long MEMORY = 1L << 28;

  /** Of the largest logit; passes of other sizes add up in another order. */
  private static final float ROUNDING = 1e-4f;

  @ParameterizedTest
  @CsvSource({
    "llama31-gqa, 1, 3",
    "mistral-swa, 2, 2",
    "phi3-longrope, 3, 2",
    "llama-dynamic, 4, 2",
    "qwen3-moe, 5, 2",
    "opt-post-proj, 6, 2",
    "gpt-oss-bf16, 7, 2",
    "gemma3-text, 8, 2",
    "deepseek-v3, 9, 2"
  })
  void shouldGiveTheSameAsAlone(String name, long seed, int rounds) throws IOException {
    Random random = new Random(seed);
    try (ModelFolder folder = ModelFolder.open(FIXTURES.resolve(name))) {
      EngineModel model = EngineModel.of(folder);
      Job job = randomJob(model, random);
      Run alone = run(model, plan(model, homes(1, random), 16, 1024, 512), PrefixSharing.OFF, job);
      assertEquals(0, alone.report.sharedPromptTokens());
      assertEquals(job.promptTokens(), alone.report.promptTokens());
      for (int round = 0; round < rounds; round++) {
        Plan plan =
            plan(
                model,
                homes(1 + random.nextInt(3), random),
                1 + random.nextInt(6),
                24 + random.nextInt(40),
                6 + random.nextInt(90));
        PrefixSharing window = new PrefixSharing(2 + random.nextInt(40), 1 + random.nextInt(4000));
        Run run = run(model, plan, window, job);
        String what = "round " + round + " with " + plan.kvGroups() + " and " + window;
        assertEquals(
            job.promptTokens(), run.report.promptTokens() + run.report.sharedPromptTokens(), what);
        assertTrue(run.report.sharedPromptTokens() > 0, what);
        job.requests.forEach(request -> compare(alone, run, request, what));
        job.choices.forEach(row -> compare(alone, run, row, what));
      }
    }
  }

  private static void compare(Run alone, Run run, GenerationRequest request, String what) {
    long row = request.index();
    TokenIds expected = alone.results.get(row).choices().getFirst().tokens();
    TokenIds actual = run.results.get(row).choices().getFirst().tokens();
    for (int step = 0; step < expected.size(); step++) {
      float[] logits = alone.logits.get(row).get(step);
      float bound = ROUNDING * largest(logits);
      String where = what + ", row " + row + ", token " + step;
      assertArrayEquals(logits, run.logits.get(row).get(step), bound, where);
      if (expected.get(step) != actual.get(step)) {
        float margin = logits[expected.get(step)] - logits[actual.get(step)];
        assertTrue(margin <= 2 * bound, where + " is another one, margin " + margin);
        return;
      }
    }
    assertEquals(
        alone.results.get(row).choices().size(), run.results.get(row).choices().size(), what);
    run.results.get(row).choices().stream()
        .skip(1)
        .forEach(other -> assertEquals(actual, other.tokens(), "all are greedy"));
  }

  private static void compare(Run alone, Run run, ChoiceRequest request, String what) {
    List<Double> expected = alone.scores.get(request.index()).logLikelihoods();
    List<Double> actual = run.scores.get(request.index()).logLikelihoods();
    for (int c = 0; c < expected.size(); c++) {
      assertEquals(expected.get(c), actual.get(c), 1e-4, what + ", row " + request.index());
    }
  }

  private static float largest(float[] logits) {
    float largest = 1;
    for (float logit : logits) {
      largest = Math.max(largest, Math.abs(logit));
    }
    return largest;
  }

  @Test
  void shouldKeepAndComputeAPrefixOnce() throws IOException {
    try (ModelFolder folder = ModelFolder.open(FIXTURES.resolve("llama31-gqa"))) {
      EngineModel model = EngineModel.of(folder);
      int block = blockTokens(model);
      List<ChoiceRequest> rows = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        // 3 blocks and half of one in common; prompt and choice end with the fifth.
        int[] prompt = tokens(1, 7 * block / 2, i, 3 * block / 2 - 1);
        rows.add(new ChoiceRequest(i, TokenIds.of(prompt), List.of(TokenIds.of(1))));
      }
      Job job = new Job(List.of(), rows);
      int most = 5 * block - 1;
      List<KvGroup.Home> homes = List.of(KvGroup.Home.DEVICE);
      Plan plan = plan(model, homes, 20, 100, 30 * block);
      Run alone = run(model, plan, PrefixSharing.OFF, job);
      Run shared = run(model, plan, PrefixSharing.USUAL, job);

      assertEquals(20L * most, alone.choosing.promptTokens());
      assertEquals(3L * block + 20L * (most - 3 * block), shared.choosing.promptTokens());
      assertEquals(19 * 3L * block, shared.choosing.sharedPromptTokens());
      assertEquals(20 * 5, alone.choosing.flight().peakKvBlocks());
      assertEquals(3 + 20 * 2, shared.choosing.flight().peakKvBlocks());
      assertEquals(4, alone.choosing.passes(), "of 30 blocks each");
      assertEquals(2, shared.choosing.passes());

      // 43 blocks are enough then, and without sharing hold 8 rows at a time.
      Plan tight = plan(model, homes, 20, 43, 100 * block);
      assertEquals(
          20, run(model, tight, PrefixSharing.USUAL, job).choosing.flight().mostSequences());
      assertEquals(8, run(model, tight, PrefixSharing.OFF, job).choosing.flight().mostSequences());
    }
  }

  @Test
  void shouldComputeTheWholePromptOfSeveralOutputsOnce() throws IOException {
    try (ModelFolder folder = ModelFolder.open(FIXTURES.resolve("llama31-gqa"))) {
      EngineModel model = EngineModel.of(folder);
      int block = blockTokens(model);
      GenerationRequest request =
          new GenerationRequest(0, TokenIds.of(tokens(1, 4 * block, 0, 1)), sampling(5, 7));
      Plan plan = plan(model, List.of(KvGroup.Home.DEVICE), 7, 100, 512);
      Run run = run(model, plan, PrefixSharing.USUAL, new Job(List.of(request), List.of()));
      assertEquals(4L * block + 7, run.report.promptTokens());
      assertEquals(6 * 4L * block, run.report.sharedPromptTokens());
    }
  }

  /** Groups of rows go where their prefix is, and one that goes on stays in the cache. */
  @Test
  void shouldNotComputeAPrefixInEveryGroupNorWindow() throws IOException {
    try (ModelFolder folder = ModelFolder.open(FIXTURES.resolve("llama31-gqa"))) {
      EngineModel model = EngineModel.of(folder);
      int block = blockTokens(model);
      List<ChoiceRequest> rows = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        int[] prompt = tokens(1 + i % 2, 2 * block, i, 3);
        rows.add(new ChoiceRequest(i, TokenIds.of(prompt), List.of(TokenIds.of(1))));
      }
      List<KvGroup.Home> homes = List.of(KvGroup.Home.DEVICE, KvGroup.Home.HOST_ATTENDED);
      Job job = new Job(List.of(), rows);
      for (PrefixSharing window :
          List.of(PrefixSharing.USUAL, new PrefixSharing(4, 1 << 20), new PrefixSharing(2, 9999))) {
        Run run = run(model, plan(model, homes, 8, 100, 512), window, job);
        // Windows of two hold a row of each prefix, which is found only in what was computed.
        long saved = window.windowSequences() == 2 ? 0 : 14 * 2L * block;
        assertEquals(saved, run.choosing.sharedPromptTokens(), window.toString());
      }
    }
  }

  @Test
  void shouldNotShareWhereRotationsDependOnTheLength() throws IOException {
    try (ModelFolder folder = ModelFolder.open(FIXTURES.resolve("phi3-longrope"))) {
      EngineModel model = EngineModel.of(folder);
      int block = blockTokens(model);
      int most = mostShared(model);
      assertTrue(most < 1000, most + " tokens");
      List<ChoiceRequest> rows = new ArrayList<>();
      for (int length : new int[] {most - 1, most, most + 1, most + 2, most + 3}) {
        int common = most / 2 / block * block;
        int[] prompt = tokens(1, common, length, length - common);
        rows.add(new ChoiceRequest(rows.size(), TokenIds.of(prompt), List.of(TokenIds.of(1))));
      }
      Plan plan = plan(model, List.of(KvGroup.Home.DEVICE), 5, 1000, 512);
      Run run = run(model, plan, PrefixSharing.USUAL, new Job(List.of(), rows));
      assertEquals((long) (most / 2 / block) * block, run.choosing.sharedPromptTokens());
    }
  }

  private static int mostShared(EngineModel model) throws IOException {
    try (Device device = open()) {
      return new EnginePlanner(model, device.operations(), DType.F32)
          .prefixLimits(PrefixSharing.USUAL)
          .mostPromptTokens();
    }
  }

  private static int blockTokens(EngineModel model) throws IOException {
    try (Device device = open()) {
      return new EnginePlanner(model, device.operations(), DType.F32).kvBlockTokens();
    }
  }

  /** Some tokens of a template, then some that are a row's own. */
  private static int[] tokens(int template, int common, int row, int own) {
    return IntStream.concat(
            IntStream.range(0, common).map(i -> (7 * template + i) % 50),
            IntStream.range(0, own).map(i -> 50 + (row + i) % 200))
        .toArray();
  }

  private record Job(List<GenerationRequest> requests, List<ChoiceRequest> choices) {
    long promptTokens() {
      return requests.stream()
          .mapToLong(r -> (long) r.prompt().size() * r.sampling().choices())
          .sum();
    }
  }

  /** Rows of some templates, of which some begin alike, and rows of none. */
  private static Job randomJob(EngineModel model, Random random) {
    int vocabulary = model.config().vocabularySize();
    List<TokenIds> templates = new ArrayList<>();
    templates.add(TokenIds.of());
    for (int i = 0; i < 3; i++) {
      TokenIds start = templates.get(random.nextInt(templates.size()));
      templates.add(randomTokens(start, 8 + random.nextInt(40), vocabulary, random));
    }
    List<GenerationRequest> requests = new ArrayList<>();
    List<ChoiceRequest> choices = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      TokenIds template = templates.get(random.nextInt(templates.size()));
      TokenIds prompt = randomTokens(template, 1 + random.nextInt(15), vocabulary, random);
      int outputs = 1 + random.nextInt(6) / 4;
      requests.add(new GenerationRequest(i, prompt, sampling(1 + random.nextInt(10), outputs)));
      choices.add(new ChoiceRequest(i, prompt, RandomChoices.choices(vocabulary, random)));
    }
    return new Job(requests, choices);
  }

  private static TokenIds randomTokens(TokenIds start, int more, int vocabulary, Random random) {
    return TokenIds.of(
        IntStream.concat(start.stream(), random.ints(more, 0, vocabulary)).toArray());
  }

  private static SamplingParams sampling(int tokens, int outputs) {
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
        tokens,
        0,
        true,
        List.of(),
        List.of(),
        outputs,
        -1);
  }

  private static List<KvGroup.Home> homes(int count, Random random) {
    KvGroup.Home[] all = KvGroup.Home.values();
    return random.ints(count, 0, all.length).mapToObj(i -> all[i]).toList();
  }

  /** Everything on the device but the cache, whose groups live where they are told to. */
  private static Plan plan(
      EngineModel model, List<KvGroup.Home> homes, int sequences, int blocks, int tokens)
      throws IOException {
    Map<UnitId, Tier> placement = new HashMap<>();
    long largest = 0;
    try (Device device = open()) {
      for (UnitSize unit : WeightStore.sizes(model.units(), DType.F32, device.operations())) {
        placement.put(unit.id(), Tier.DEVICE);
        largest = Math.max(largest, unit.imageBytes());
      }
    }
    List<KvGroup> groups =
        homes.stream().map(home -> new KvGroup(home, blocks, sequences)).toList();
    return new Plan(
        DType.F32, placement, groups, 1, Math.max(tokens, sequences), 0, 0, 40, 0, largest);
  }

  private static Run run(EngineModel model, Plan plan, PrefixSharing sharing, Job job) {
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
            sharing,
            Optional.empty(),
            true);
    Run run = new Run();
    Iterator<GenerationRequest> source = job.requests.iterator();
    Iterator<ChoiceRequest> rows = job.choices.iterator();
    try (Device device = open();
        Engine engine = Engine.open(model, Optional.empty(), device, options, plan)) {
      run.report =
          engine.run(
              () -> next(source),
              result -> run.results.put(result.index(), result),
              _ -> {},
              (request, generated, logits) -> {
                List<float[]> all =
                    run.logits.computeIfAbsent(request.index(), _ -> new ArrayList<>());
                if (all.size() == generated) {
                  all.add(logits.toArray(ValueLayout.JAVA_FLOAT));
                }
              });
      run.choosing =
          engine.choose(
              () -> next(rows), result -> run.scores.put(result.index(), result), _ -> {});
    }
    assertEquals(job.requests.size(), run.results.size());
    assertEquals(job.choices.size(), run.scores.size());
    return run;
  }

  private static <T> Optional<T> next(Iterator<T> source) {
    return source.hasNext() ? Optional.of(source.next()) : Optional.empty();
  }

  private static Device open() {
    Backend backend = ServiceLoader.load(Backend.class).findFirst().orElseThrow();
    return backend.open(new DeviceOptions(0, MEMORY, MEMORY, 2));
  }

  /** What came out. */
  private static final class Run {
    private final Map<Long, GenerationResult> results = new HashMap<>();
    private final Map<Long, List<float[]>> logits = new HashMap<>();
    private final Map<Long, ChoiceResult> scores = new HashMap<>();
    private RunReport report;
    private RunReport choosing;
  }
}
