package dev.offload.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.planner.KvGroup;
import dev.offload.planner.Plan;
import dev.offload.planner.Workload;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.hardware.Presets;
import dev.offload.tensors.DType;
import dev.offload.tensors.Tier;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.tensors.weights.RandomSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.ServiceLoader;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What an engine does if nobody says. */
class EnginePlannerTest {
  private static final Path SHAPES = Path.of("../examples/shapes");
  private static final long MEMORY = 16L << 30;
  private static final int SEQUENCES = 32;
  private static final int KV_TOKENS = 160;

  @ParameterizedTest
  @CsvSource({
    "dense-360m, 1, 512",
    "moe-880m, 1, 1024",
    "moe-880m, 2, 512", // 4 of 32 experts
    "qwen3-30b-a3b, 1, 2048",
    "mixtral-8x7b, 1, 512" // 8 of 128, 2 of 8
  })
  void shouldGiveExpertsEnoughRows(String shape, int microBatches, int tokens) throws IOException {
    Plan plan = plan(shape, 256L << 30, microBatches, OptionalInt.empty());
    assertEquals(tokens, plan.microBatchTokens());
    assertEquals(microBatches, plan.kvGroups().size());
  }

  @Test
  void shouldDoAsItIsTold() throws IOException {
    assertEquals(300, plan("moe-880m", MEMORY, 1, OptionalInt.of(300)).microBatchTokens());
  }

  @Test
  void shouldLoseNothingFromTheDevice() throws IOException {
    int longer = 0;
    int usual = 0;
    for (long mebibytes = 1700; mebibytes <= 2000; mebibytes += 10) {
      long bytes = mebibytes << 20;
      Plan free = plan("moe-880m", bytes, 1, OptionalInt.empty());
      Plan told = plan("moe-880m", bytes, 1, OptionalInt.of(512));
      assertTrue(
          free.unitsOn(Tier.DEVICE).containsAll(told.unitsOn(Tier.DEVICE)), mebibytes + " MiB");
      assertEquals(blocks(told), blocks(free), mebibytes + " MiB");
      assertEquals(told.maxSequences(), free.maxSequences(), mebibytes + " MiB");
      assertTrue(free.microBatchTokens() >= told.microBatchTokens());
      longer += free.microBatchTokens() > told.microBatchTokens() ? 1 : 0;
      usual += free.equals(told) ? 1 : 0;
    }
    assertTrue(longer > 0 && usual > 0, longer + " budgets allow more, " + usual + " do not");
  }

  @ParameterizedTest
  @CsvSource({"rtx-3090, true", "h100, true", "server-cpu, false"})
  void shouldHaveTheHostComputeExperts(String machine, boolean onHost) throws IOException {
    HardwareProfile profile = Presets.load().find(machine).profile();
    EngineOptions options = options(14L << 30, 128L << 30, 1, OptionalInt.of(512));
    Plan plan =
        plan("mixtral-8x7b", (model, device) -> Engine.plan(model, device, options, profile));
    assertEquals(onHost, !plan.hostExperts().isEmpty());
  }

  @Test
  void shouldHaveAsManySequencesInFlightAsStreamedWeightsAreWorth() throws IOException {
    HardwareProfile machine = Presets.load().find("rtx-3090").profile();
    EngineOptions options = EngineOptions.of(Optional.of(DType.BF16), 20L << 30, 200L << 30, 2, 0);
    BiFunction<EngineModel, Device, Plan> planner =
        (model, device) -> Engine.plan(model, device, options, machine);
    assertTrue(plan("mixtral-8x7b", planner).maxSequences() > 500);
  }

  @ParameterizedTest
  @CsvSource({"rtx-3090", "server-cpu"})
  void shouldPlanForTheJob(String preset) throws IOException {
    HardwareProfile machine = Presets.load().find(preset).profile();
    EngineOptions unknown = EngineOptions.of(Optional.of(DType.BF16), 450L << 20, 150L << 20, 2, 0);
    EngineOptions known = unknown.withWorkload(Workload.of(16, 24, OptionalLong.of(8)));
    Plan any = plan("dense-360m", (model, device) -> Engine.plan(model, device, unknown, machine));
    Plan eight = plan("dense-360m", (model, device) -> Engine.plan(model, device, known, machine));
    assertEquals(8, eight.maxSequences());
    int prompts = 8 * 16; // in three of 24 passes
    assertTrue(3 * eight.passTokens() >= prompts, () -> eight.passTokens() + " tokens");
    assertTrue(
        eight.unitsOn(Tier.DEVICE).size() > any.unitsOn(Tier.DEVICE).size(),
        () -> eight.unitsOn(Tier.DEVICE).size() + " units");
  }

  @ParameterizedTest
  @CsvSource({"90, 2048, 100, true", "100, 160, 1, false"})
  void shouldNameTheCacheOnlyWhereItIsWhatDoesNotFit(
      long deviceMebibytes, int tokens, long hostMebibytes, boolean cache) {
    EngineOptions options =
        EngineOptions.of(Optional.of(DType.BF16), deviceMebibytes << 20, hostMebibytes << 20, 2, 0)
            .withKvTokens(tokens);
    String refusal =
        assertThrows(
                IllegalArgumentException.class,
                () -> plan("dense-360m", (model, device) -> Engine.plan(model, device, options)))
            .getMessage();
    assertTrue(refusal.contains("is too small"), refusal);
    assertEquals(cache, refusal.contains("the KV cache for one row"), refusal);
  }

  @Test
  void shouldRefuseAPlanForOtherBudgetsBeforeItAllocates() throws IOException {
    EngineOptions large = EngineOptions.of(Optional.of(DType.BF16), 1L << 30, 1L << 30, 2, 0);
    EngineOptions small = EngineOptions.of(Optional.of(DType.BF16), 1L << 28, 1L << 30, 2, 0);
    plan(
        "dense-360m",
        (model, device) -> {
          Plan plan = Engine.plan(model, device, large);
          String refusal =
              assertThrows(
                      IllegalArgumentException.class,
                      () -> Engine.open(model, Optional.empty(), device, small, plan).close())
                  .getMessage();
          assertTrue(refusal.contains("of device memory, the budget is 256.00 MiB"), refusal);
          assertEquals(0, device.peakBytes());
          return plan;
        });
  }

  private static long blocks(Plan plan) {
    return plan.kvGroups().stream().mapToLong(KvGroup::blocks).sum();
  }

  private static Plan plan(String shape, long deviceBytes, int microBatches, OptionalInt tokens)
      throws IOException {
    EngineOptions options = options(deviceBytes, MEMORY, microBatches, tokens);
    return plan(shape, (model, device) -> Engine.plan(model, device, options));
  }

  private static EngineOptions options(
      long deviceBytes, long hostBytes, int microBatches, OptionalInt tokens) {
    EngineOptions usual =
        EngineOptions.of(Optional.of(DType.BF16), deviceBytes, hostBytes, 2, 0)
            .withKvTokens(KV_TOKENS);
    return new EngineOptions(
        usual.computeDType(),
        usual.deviceMemory(),
        usual.hostMemory(),
        usual.threads(),
        usual.seed(),
        new Batching(OptionalInt.of(SEQUENCES), OptionalInt.of(microBatches), tokens),
        Optional.empty(),
        usual.kvTokensPerSequence(),
        usual.kvHome(),
        usual.admission(),
        usual.prefixSharing(),
        usual.temporaryFolder(),
        usual.overlap());
  }

  private static Plan plan(String shape, BiFunction<EngineModel, Device, Plan> planner)
      throws IOException {
    Backend backend = ServiceLoader.load(Backend.class).findFirst().orElseThrow();
    try (ModelFolder folder = ModelFolder.fromConfig(SHAPES.resolve(shape));
        Device device = backend.open(new DeviceOptions(0, 1 << 20, 1 << 20, 2))) {
      EngineModel model = EngineModel.random(folder, new RandomSource(0, 1, 1));
      return planner.apply(model, device);
    }
  }
}
