package dev.offload.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.Device;
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
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Placement never changes the answer: same micro-batches, same tokens, log-probabilities and
 * likelihoods of choices.
 */
class PlacementTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures");
  private static final long MEMORY = 1L << 30;

  @ParameterizedTest
  @CsvSource({
    "opencl, llama31-gqa, 1, 2",
    "opencl, qwen3-moe, 2, 2",
    "opencl, opt-post-proj, 4, 1",
    "opencl, gpt-oss-bf16, 9, 2",
    "opencl, deepseek-v3, 10, 1",
    "emulated-cuda, llama31-gqa, 1, 1",
    "cuda, llama31-gqa, 1, 6",
    "cuda, qwen3-moe, 2, 6",
    "cuda, opt-post-proj, 4, 4",
    "cuda, gpt-oss-bf16, 9, 4",
    "cuda, deepseek-v3, 10, 4",
    "cpu, llama31-gqa, 1, 6",
    "cpu, qwen3-moe, 2, 6",
    "cpu, qwen2-moe, 3, 5",
    "cpu, opt-post-proj, 4, 4",
    "cpu, mixtral, 5, 5",
    "cpu, mistral-swa, 6, 4",
    "cpu, neox-pythia, 7, 4",
    "cpu, gemma2, 8, 4",
    "cpu, gpt-oss-bf16, 9, 4",
    "cpu, deepseek-v3, 10, 4",
    "cpu, deepseek-v2-lite, 11, 2"
  })
  void shouldGiveTheSameWhereverThingsLive(String backend, String name, long seed, int rounds)
      throws Exception {
    Random random = new Random(seed);
    try (ModelFolder folder = ModelFolder.open(FIXTURES.resolve(name))) {
      EngineModel model = EngineModel.of(folder);
      for (int round = 0; round < rounds; round++) {
        DType dtype = random.nextInt(3) == 0 ? DType.BF16 : DType.F32;
        int microBatches = 1 + random.nextInt(3);
        int microBatchTokens = 3 + random.nextInt(40);
        Shape shape =
            new Shape(
                dtype,
                microBatches,
                2 + random.nextInt(3),
                microBatchTokens,
                TestDevices.hostRoundsAlike(backend));
        List<GenerationRequest> requests = requests(model, random);
        List<ChoiceRequest> choices =
            RandomChoices.rows(4 + random.nextInt(10), 40, model.config().vocabularySize(), random);
        EngineModel sliced = sliced(folder, random);
        Answers expected;
        try (TestDevices devices = open(backend, 2)) {
          // Where slices of the output matrix round otherwise, they are part of the model.
          boolean exact = devices.device().operations().multipliesPanelsExactly();
          EngineModel resident = exact ? model : sliced;
          Plan plan = shape.plan(sizes(resident, dtype, devices), Map.of(), false, 0);
          expected = run(resident, devices, plan, false, requests, choices);
        }
        try (TestDevices devices = open(backend, 1 + random.nextInt(3))) {
          Plan plan = randomPlan(shape, sizes(sliced, dtype, devices), random);
          boolean overlap = random.nextInt(4) > 0;
          assertEquals(
              expected,
              run(
                  random.nextBoolean() ? sliced : sliced.mapped(1),
                  devices,
                  plan,
                  overlap,
                  requests,
                  choices),
              () -> "round with " + plan + (overlap ? " overlapped" : " sequential"));
          Device device = devices.device();
          assertTrue(device.allocatedBytes() == 0 && device.allocatedPinnedBytes() == 0);
        }
      }
    }
  }

  /** Weights that stay in the page cache, where a device has them copied from there. */
  @ParameterizedTest
  @CsvSource({
    "opencl, llama31-gqa",
    "emulated-cuda, mixtral",
    "cuda, llama31-gqa",
    "cuda, mixtral",
    "cpu, llama31-gqa"
  })
  void shouldGiveTheSameFromThePageCache(String backend, String name) throws Exception {
    Random random = new Random(12);
    try (ModelFolder folder = ModelFolder.open(FIXTURES.resolve(name));
        TestDevices devices = open(backend, 2)) {
      EngineModel model = EngineModel.of(folder);
      DType dtype = model.config().storedDType();
      List<UnitSize> units = sizes(model, dtype, devices);
      Map<UnitId, Tier> away = new HashMap<>();
      units.forEach(unit -> away.put(unit.id(), Tier.HOST));
      Plan plan = new Shape(dtype, 2, 2, 20, false).plan(units, away, false, 3);
      List<GenerationRequest> requests = requests(model, random);
      Answers expected = run(model, devices, plan, true, requests, List.of());
      long copied = devices.device().peakPinnedBytes();
      assertEquals(expected, run(model.mapped(1), devices, plan, true, requests, List.of()));
      long mapped = devices.device().peakPinnedBytes();
      boolean stays = !backend.equals(TestDevices.CPU);
      assertEquals(stays, mapped > copied, "whole pages count where weights stay in files");
      assertEquals(0, devices.device().allocatedPinnedBytes());
    }
  }

  /** With the output matrix in slices of some panels. */
  private static EngineModel sliced(ModelFolder folder, Random random) {
    EngineModel whole = EngineModel.of(folder);
    return new EngineModel(
        whole.config(),
        OutputSlices.cut(folder.units(), 1 + random.nextInt(whole.config().vocabularySize())),
        whole.weights(),
        whole.checkpoint(),
        false);
  }

  /**
   * What no placement changes.
   *
   * @param hostComputes whether the host may attend, and compute experts
   */
  private record Shape(
      DType dtype, int microBatches, int sequences, int microBatchTokens, boolean hostComputes) {
    Plan plan(List<UnitSize> units, Map<UnitId, Tier> away, boolean streamKv, int extraRingPieces) {
      Map<UnitId, Tier> placement = new HashMap<>();
      long largest = 0;
      for (UnitSize unit : units) {
        placement.put(unit.id(), away.getOrDefault(unit.id(), Tier.DEVICE));
        largest = Math.max(largest, Math.max(unit.imageBytes(), unit.rowMajorBytes()));
      }
      List<KvGroup> groups = new ArrayList<>();
      for (int i = 0; i < microBatches; i++) {
        KvGroup.Home home =
            !streamKv
                ? KvGroup.Home.DEVICE
                : i % 2 == 0 || !hostComputes
                    ? KvGroup.Home.HOST_STREAMED
                    : KvGroup.Home.HOST_ATTENDED;
        groups.add(new KvGroup(home, 64, sequences));
      }
      long ring = away.isEmpty() ? 0 : largest * (2 + extraRingPieces) / 2;
      return new Plan(
          dtype,
          placement,
          groups,
          streamKv ? 1 + extraRingPieces % 2 : 0,
          Math.max(microBatchTokens, sequences),
          Math.max(ring, away.isEmpty() ? 0 : largest),
          away.containsValue(Tier.DISK) ? largest * (1 + extraRingPieces % 3) : 0,
          0,
          0,
          largest);
    }
  }

  private static Plan randomPlan(Shape shape, List<UnitSize> units, Random random) {
    Map<UnitId, Tier> away = new LinkedHashMap<>();
    int awayShare = random.nextInt(5);
    for (UnitSize unit : units) {
      if (random.nextInt(4) < awayShare) {
        away.put(unit.id(), random.nextBoolean() ? Tier.HOST : Tier.DISK);
      }
    }
    Set<UnitId> hostExperts = new HashSet<>();
    int hostShare = random.nextInt(5);
    away.forEach(
        (unit, tier) -> {
          if (unit.kind() == UnitId.Kind.EXPERT
              && tier == Tier.HOST
              && shape.hostComputes()
              && random.nextInt(4) < hostShare) {
            hostExperts.add(unit);
          }
        });
    return shape
        .plan(units, away, random.nextBoolean(), random.nextInt(6))
        .withHostExperts(hostExperts);
  }

  private static List<UnitSize> sizes(EngineModel model, DType dtype, TestDevices devices) {
    return WeightStore.sizes(
        model.units(), dtype, devices.device().operations(), devices.host().operations());
  }

  private static List<GenerationRequest> requests(EngineModel model, Random random) {
    List<GenerationRequest> requests = new ArrayList<>();
    int count = 4 + random.nextInt(10);
    for (int i = 0; i < count; i++) {
      int[] prompt = new int[1 + random.nextInt(40)];
      for (int t = 0; t < prompt.length; t++) {
        prompt[t] = random.nextInt(model.config().vocabularySize());
      }
      SamplingParams sampling =
          new SamplingParams(
              random.nextBoolean() ? 0 : 0.8,
              1,
              random.nextBoolean() ? 0 : 1 + random.nextInt(30),
              0,
              1,
              0,
              0,
              Map.of(),
              OptionalLong.of(random.nextLong()),
              1 + random.nextInt(12),
              0,
              random.nextBoolean(),
              List.of(),
              List.of(),
              1 + random.nextInt(2),
              20);
      requests.add(new GenerationRequest(i, TokenIds.of(prompt), sampling));
    }
    return requests;
  }

  private record Answers(Map<Long, GenerationResult> generated, Map<Long, ChoiceResult> scored) {}

  private static Answers run(
      EngineModel model,
      TestDevices devices,
      Plan plan,
      boolean overlap,
      List<GenerationRequest> requests,
      List<ChoiceRequest> choices) {
    EngineOptions options =
        new EngineOptions(
            Optional.of(plan.computeDType()),
            MEMORY,
            MEMORY,
            2,
            0,
            Batching.of(plan.maxSequences(), plan.kvGroups().size(), plan.microBatchTokens()),
            Optional.empty(),
            OptionalInt.empty(),
            Optional.of(KvGroup.Home.DEVICE),
            AdmissionPolicy.EXPECTED_LENGTH,
            PrefixSharing.USUAL,
            Optional.empty(),
            overlap);
    Answers answers = new Answers(new TreeMap<>(), new TreeMap<>());
    Iterator<GenerationRequest> source = requests.iterator();
    Iterator<ChoiceRequest> rows = choices.iterator();
    try (Engine engine =
        Engine.open(model, Optional.empty(), devices.device(), devices.host(), options, plan)) {
      RunReport report =
          engine.run(
              () -> next(source),
              result -> answers.generated().put(result.index(), result),
              _ -> {});
      assertEquals(
          plan.placement().entrySet().stream()
              .anyMatch(
                  e -> e.getValue() == Tier.DISK && e.getKey().kind() != UnitId.Kind.EMBEDDING),
          report.diskBytes() > 0,
          "weights on disk are read during passes");
      engine.choose(
          () -> next(rows), result -> answers.scored().put(result.index(), result), _ -> {});
    }
    return answers;
  }

  private static <T> Optional<T> next(Iterator<T> source) {
    return source.hasNext() ? Optional.of(source.next()) : Optional.empty();
  }

  private static TestDevices open(String backend, int threads) {
    return TestDevices.open(backend, MEMORY, MEMORY, threads);
  }
}
