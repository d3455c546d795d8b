package dev.offload.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.engine.prefix.PrefixSharing;
import dev.offload.generation.GenerationRequest;
import dev.offload.generation.RequestSource;
import dev.offload.planner.KvGroup;
import dev.offload.planner.Lane;
import dev.offload.planner.Plan;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.hardware.HardwareProfile.CopyRate;
import dev.offload.planner.hardware.HardwareProfile.CopyRate.Piece;
import dev.offload.planner.hardware.HardwareProfile.Disk;
import dev.offload.planner.hardware.HardwareProfile.Link;
import dev.offload.planner.hardware.HardwareProfile.Sharing;
import dev.offload.planner.hardware.Processor;
import dev.offload.planner.hardware.Processor.Product;
import dev.offload.planner.simulate.PlayedPass;
import dev.offload.tensors.DType;
import dev.offload.tensors.Tier;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.tensors.weights.UnitId;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A forecast makes the passes that a run makes, and follows the machine it is made for. */
class ForecastTest {
  private static final Path MIXTURE = Path.of("src/test/resources/fixtures/mixtral");
  private static final long MEMORY = 1L << 28;

  /** What a pass did. */
  private record Done(int promptTokens, int logitsRows) {}

  @ParameterizedTest
  @CsvSource({
    "20, 10, 5, 16, 1, 8, 64, EXPECTED_LENGTH", // in waves
    "3, 50, 4, 16, 1, 8, 64, EXPECTED_LENGTH", // prompts in several pieces
    "12, 7, 9, 6, 3, 6, 64, EXPECTED_LENGTH", // three micro-batches
    "30, 9, 30, 64, 1, 16, 24, RESERVE_MOST", // a cache for some of them
  })
  void shouldMakeThePassesOfARun(
      int requests,
      int prompt,
      int generated,
      int microBatchTokens,
      int microBatches,
      int sequences,
      int kvTokens,
      AdmissionPolicy admission)
      throws Exception {
    EngineOptions options =
        new EngineOptions(
            Optional.of(DType.F32),
            MEMORY,
            MEMORY,
            2,
            0,
            Batching.of(sequences, microBatches, microBatchTokens),
            Optional.empty(),
            OptionalInt.of(kvTokens),
            Optional.of(KvGroup.Home.DEVICE),
            admission,
            PrefixSharing.OFF,
            Optional.empty(),
            true);
    List<Done> done = new ArrayList<>();
    long[] before = {0, 0};
    try (ModelFolder folder = ModelFolder.open(MIXTURE);
        Device device = open()) {
      EngineModel model = EngineModel.of(folder);
      Plan plan = Engine.plan(model, device, options);
      RunReport run;
      try (Engine engine = Engine.open(model, Optional.empty(), device, options, plan)) {
        run =
            engine.run(
                requests(requests, prompt, generated),
                _ -> {},
                progress -> {
                  done.add(
                      new Done(
                          (int) (progress.promptTokens() - before[0]),
                          (int) (progress.generatedTokens() - before[1])));
                  before[0] = progress.promptTokens();
                  before[1] = progress.generatedTokens();
                });
      }
      Forecast forecast =
          Forecast.of(
              model,
              device.operations(),
              plan,
              options.admission(),
              machine(1e10),
              RunsBefore.NONE,
              rows(requests, prompt, generated));
      assertEquals(done, forecast.passes().stream().map(ForecastTest::done).toList());
      RunReport report = forecast.report();
      assertEquals(run.passes(), report.passes());
      assertEquals(run.rows(), report.rows());
      assertEquals(run.promptTokens(), report.promptTokens());
      assertEquals(run.generatedTokens(), report.generatedTokens());
      assertEquals(run.flight().meanSequences(), report.flight().meanSequences());
      assertEquals(run.flight().peakKvBlocks(), report.flight().peakKvBlocks());
    }
  }

  private static RequestSource requests(int count, int prompt, int generated) {
    List<Integer> tokens = IntStream.range(1, prompt + 1).boxed().toList();
    Iterator<GenerationRequest> all =
        IntStream.range(0, count).mapToObj(i -> TestRun.greedy(i, tokens, generated)).iterator();
    return () -> all.hasNext() ? Optional.of(all.next()) : Optional.empty();
  }

  private static Done done(PlayedPass pass) {
    return new Done(pass.shape().promptTokens(), pass.shape().logitsRows());
  }

  @Test
  void shouldFollowTheMachine() throws Exception {
    RunReport slow = fromDisk(machine(1e7));
    RunReport fast = fromDisk(machine(1e9));
    assertTrue(slow.busyShares().get(Lane.DISK) > 0.95, slow.busyShares().toString());
    assertTrue(fast.busyShares().get(Lane.DISK) < 0.95, fast.busyShares().toString());
    assertEquals(slow.diskBytes() / 1e7, slow.wallNanos() / 1e9, 0.05 * slow.wallNanos() / 1e9);
    assertTrue(fast.totalTokensPerSecond() > 3 * slow.totalTokensPerSecond());
  }

  @Test
  void shouldHaveLanesWaitBetweenPassesAsInRunsBefore() throws Exception {
    EngineOptions options = EngineOptions.of(Optional.of(DType.F32), MEMORY, MEMORY, 2, 0);
    try (ModelFolder folder = ModelFolder.open(MIXTURE);
        Device device = open()) {
      EngineModel model = EngineModel.of(folder);
      Plan plan = Engine.plan(model, device, options);
      RunsBefore before;
      try (Engine engine = Engine.open(model, Optional.empty(), device, options, plan)) {
        assertEquals(OptionalDouble.empty(), engine.runsBefore().betweenSeconds());
        RunReport run = engine.run(requests(8, 10, 20), _ -> {}, _ -> {});
        before = engine.runsBefore();
        assertEquals(engine.routing(), before.routing());
        double between = before.betweenSeconds().orElseThrow();
        assertTrue(between > 0 && between < run.wallNanos() / 1e9, between + " s");
      }
      RunReport known = allOnDevice(model, device, plan, options, before.betweenSeconds());
      RunReport none = allOnDevice(model, device, plan, options, OptionalDouble.of(0));
      double waited = known.passes() * before.betweenSeconds().orElseThrow();
      assertEquals(waited, (known.wallNanos() - none.wallNanos()) / 1e9, 1e-6 * known.passes());
    }
  }

  private static RunReport allOnDevice(
      EngineModel model,
      Device device,
      Plan plan,
      EngineOptions options,
      OptionalDouble betweenSeconds) {
    return Forecast.of(
            model,
            device.operations(),
            plan,
            options.admission(),
            machine(1e10),
            new RunsBefore(Optional.empty(), betweenSeconds),
            rows(8, 10, 20))
        .report();
  }

  @Test
  void shouldKnowThatCachesHaveWhatWasCopied() throws Exception {
    double lost = gpuSeconds(fromDisk(keeping(0)));
    double kept = gpuSeconds(fromDisk(keeping(1)));
    assertTrue(kept < 0.8 * lost, kept + " " + lost);
    assertTrue(kept > 0.5 * lost, "only experts are copied: " + kept + " " + lost);
  }

  private static double gpuSeconds(RunReport run) {
    return run.busyShares().get(Lane.GPU) * run.wallNanos() / 1e9;
  }

  /** A machine whose copies take no cores, and whose caches halve the time of products. */
  private static HardwareProfile keeping(double kept) {
    Product product = new Product(DType.F32, 192, 128, 1, 1e-4, 5e-5);
    CopyRate copies = new CopyRate(8e9, 0, List.of(new Piece(1L << 20, 1e-4, 0, kept)));
    return machine(1e9, copies, List.of(product));
  }

  /** With all experts on disk. */
  private static RunReport fromDisk(HardwareProfile machine) throws Exception {
    try (ModelFolder folder = ModelFolder.open(MIXTURE);
        Device device = open()) {
      EngineModel model = EngineModel.of(folder);
      EngineOptions options = EngineOptions.of(Optional.of(DType.F32), MEMORY, MEMORY, 2, 0);
      Plan plan = Engine.plan(model, device, options);
      Map<UnitId, Tier> placement = new HashMap<>(plan.placement());
      placement.replaceAll((id, home) -> id.kind() == UnitId.Kind.EXPERT ? Tier.DISK : home);
      long piece = 1L << 20;
      Plan onDisk =
          new Plan(
              plan.computeDType(),
              placement,
              plan.kvGroups(),
              plan.kvRingSlots(),
              plan.microBatchTokens(),
              4 * piece,
              4 * piece,
              plan.swapBlocks(),
              plan.diskSwapBlocks(),
              piece,
              Set.of());
      return Forecast.of(
              model,
              device.operations(),
              onDisk,
              options.admission(),
              machine,
              RunsBefore.NONE,
              rows(8, 10, 20))
          .report();
    }
  }

  private static Iterator<Forecast.Row> rows(int count, int prompt, int generated) {
    return IntStream.range(0, count)
        .mapToObj(_ -> new Forecast.Row(prompt, generated, generated))
        .iterator();
  }

  private static Device open() {
    Backend backend = ServiceLoader.load(Backend.class).findFirst().orElseThrow();
    return backend.open(new DeviceOptions(0, MEMORY, MEMORY, 2));
  }

  private static HardwareProfile machine(double diskRate) {
    return machine(diskRate, new CopyRate(8e9, 5e-6), List.of());
  }

  private static HardwareProfile machine(double diskRate, CopyRate copies, List<Product> products) {
    Processor cores = new Processor(2e10, 1e-5, Map.of(DType.F32, 1e11), products, 1e10, 1e10);
    return new HardwareProfile(
        "test",
        "a machine with round figures",
        cores,
        MEMORY,
        new Link(copies, copies, 1e10),
        cores,
        MEMORY,
        new Sharing(2e10, 2, true),
        new Disk(1L << 40, diskRate, diskRate),
        List.of());
  }
}
