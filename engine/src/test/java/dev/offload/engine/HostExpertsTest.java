package dev.offload.engine;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.MemoryBudgetException;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.engine.prefix.PrefixSharing;
import dev.offload.generation.GenerationRequest;
import dev.offload.moe.TokenRegrouping;
import dev.offload.planner.Granule;
import dev.offload.planner.Granules;
import dev.offload.planner.KvGroup;
import dev.offload.planner.Lane;
import dev.offload.planner.PassTimeline;
import dev.offload.planner.Plan;
import dev.offload.planner.UnitSize;
import dev.offload.planner.cost.RoutingStatistics;
import dev.offload.tensors.DType;
import dev.offload.tensors.Tier;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.tensors.weights.UnitId;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.ServiceLoader;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Experts of the host are computed there, never copied, in the memory that was planned for them.
 */
class HostExpertsTest {
  private static final Path MODEL = Path.of("../examples/models/tiny-moe");
  private static final long PLENTY = 1L << 30;
  private static final long MINIMUM = 1;
  private static final int THREADS = 2;
  private static final int SEQUENCES = 6;

  /** So many that rows on the host take far more than what sizes are rounded up by. */
  private static final int MICRO_BATCH_TOKENS = 512;

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldComputeOnTheHostWithoutCopyingExperts(boolean overlap) throws IOException {
    try (ModelFolder folder = ModelFolder.open(MODEL);
        Device device = open(PLENTY)) {
      EngineModel model = EngineModel.of(folder);
      Plan streaming = plan(model, device, _ -> false);
      Plan split = plan(model, device, expert -> expert.number() % 3 != 1);
      Plan all = plan(model, device, _ -> true);
      Run expected = run(model, device, streaming, overlap);
      Run some = run(model, device, split, overlap);
      Run none = run(model, device, all, overlap);
      assertEquals(expected.answers(), some.answers());
      assertEquals(expected.answers(), none.answers());

      int prompts = 1 + 6 + 11 + 16 + 21 + 26;
      for (RoutingStatistics.Layer layer : expected.routing().orElseThrow().layers()) {
        assertEquals(prompts + 4 * SEQUENCES, layer.tokens(), "each output's last token is free");
      }
      assertEquals(expected.routing(), some.routing());
      assertEquals(expected.routing(), none.routing());

      assertFalse(expected.hasTask(Lane.CPU, "on the host"));
      assertTrue(expected.hasTask(Lane.H2D, "copy expert"));
      assertTrue(some.hasTask(Lane.CPU, "on the host"));
      assertTrue(some.hasTask(Lane.H2D, "copy expert"));
      assertTrue(none.hasTask(Lane.CPU, "experts 0 to 7, layer 3, on the host"));
      assertFalse(none.hasTask(Lane.H2D, "copy expert"));
    }
  }

  @Test
  void shouldTakeNoMoreHostMemoryThanPlanned() throws IOException {
    try (ModelFolder folder = ModelFolder.open(MODEL)) {
      EngineModel model = EngineModel.of(folder);
      Plan plan;
      long planned;
      long weights;
      try (Device device = open(PLENTY)) {
        plan = plan(model, device, expert -> expert.number() > 2);
        EnginePlanner sizes = new EnginePlanner(model, device.operations(), DType.F32);
        weights =
            sizes.units().stream()
                .filter(unit -> plan.placement().get(unit.id()) == Tier.HOST)
                .mapToLong(UnitSize::imageBytes)
                .sum();
        planned = sizes.hostBytes(plan) + sizes.tableBytes() + weights;
      }
      try (Device device = open(planned)) {
        run(model, device, plan, true);
        assertTrue(device.peakPinnedBytes() <= planned);
      }
      try (Device device = open(weights)) {
        assertThrows(MemoryBudgetException.class, () -> run(model, device, plan, true));
        assertEquals(0, device.allocatedPinnedBytes());
      }
    }
  }

  @Test
  void shouldCountExpertsOfTheHostThere() throws IOException {
    try (ModelFolder folder = ModelFolder.open(MODEL);
        Device device = open(PLENTY)) {
      EngineModel model = EngineModel.of(folder);
      Plan plan = plan(model, device, _ -> true);
      List<UnitSize> units =
          List.of(
              new UnitSize(UnitId.expert(0, 0), 100, 128, true, 192),
              new UnitSize(UnitId.of(UnitId.Kind.ROUTER, 0), 10, 12, true, 14));
      assertEquals(
          Map.of(Tier.HOST, 192L, Tier.DEVICE, 12L), TierBytes.of(plan, units, 1).weights());
    }
  }

  @Test
  void shouldComputeOnADeviceThatIsNotTheEnginesOwn() throws IOException {
    try (ModelFolder folder = ModelFolder.open(MODEL);
        Device device = open(PLENTY);
        Device host = open(MINIMUM)) {
      EngineModel model = EngineModel.of(folder);
      Plan plan = plan(model, device, expert -> expert.number() % 2 == 0);
      float[] alone = layerOnHost(model, device, device, plan);
      assertArrayEquals(alone, layerOnHost(model, device, host, plan));
      long scratch = host.peakBytes();
      assertTrue(0 < scratch && scratch < 1 << 20, scratch + " bytes for the host's products");
      assertEquals(0, host.peakPinnedBytes());
      assertEquals(0, device.allocatedBytes() + device.allocatedPinnedBytes());
    }
  }

  /** What the experts of the host in layer 1 give for rows that chose experts in turn. */
  private static float[] layerOnHost(EngineModel model, Device device, Device host, Plan plan) {
    int tokens = 23;
    int hidden = model.config().hiddenSize();
    DType input = device.operations().matrixInput(DType.F32);
    TokenRegrouping regrouping = new TokenRegrouping(8);
    MemorySegment chosen =
        MemorySegment.ofArray(IntStream.range(0, tokens).map(t -> t % 8).toArray());
    List<AutoCloseable> owned = new ArrayList<>();
    EnginePlanner planner = new EnginePlanner(model, device.operations(), DType.F32);
    List<Granule> granules = Granules.of(plan, planner.units());
    HostExperts experts = planner.newHostExperts(device, host, plan, granules, owned).orElseThrow();
    MemorySegment scratch = MemorySegment.ofArray(new int[tokens]);
    regrouping.sort(chosen, tokens, 1, experts.of(1), scratch, scratch);
    int rows = regrouping.leadingRows();
    assertEquals(12, rows);
    try (Stream stream = device.newStream("test");
        PinnedBuffer values = device.allocatePinned("values", 4L * rows * hidden);
        DeviceBuffer in = device.allocate("in", 4L * rows * hidden);
        DeviceBuffer out = device.allocate("out", 4L * rows * hidden)) {
      Random random = new Random(9);
      for (int i = 0; i < rows * hidden; i++) {
        values.segment().setAtIndex(JAVA_FLOAT, i, (float) random.nextGaussian());
      }
      stream.copyToDevice(values, 0, in, 0, values.segment().byteSize());
      experts.download(stream, Matrix.dense(in, 0, input, rows, hidden));
      stream.synchronize();
      experts.compute(
          model.config().layers().get(1),
          List.of(
              UnitId.expert(1, 0), UnitId.expert(1, 2), UnitId.expert(1, 4), UnitId.expert(1, 6)),
          regrouping);
      experts.upload(stream, Matrix.dense(out, 0, DType.F32, rows, hidden));
      stream.copyToHost(out, 0, values, 0, values.segment().byteSize());
      stream.synchronize();
      return values.segment().toArray(JAVA_FLOAT);
    } finally {
      Closing.all(owned.reversed());
    }
  }

  private record Run(
      Map<Long, List<Integer>> answers,
      Optional<PassTimeline> timeline,
      Optional<RoutingStatistics> routing) {
    boolean hasTask(Lane lane, String name) {
      return timeline.orElseThrow().spans().stream()
          .anyMatch(span -> span.lane() == lane && span.task().contains(name));
    }
  }

  /** Experts live on the host, all else on the device. */
  private static Plan plan(EngineModel model, Device device, Predicate<UnitId> onHost) {
    List<UnitSize> units = new EnginePlanner(model, device.operations(), DType.F32).units();
    Map<UnitId, Tier> placement = new HashMap<>();
    for (UnitSize unit : units) {
      boolean expert = unit.id().kind() == UnitId.Kind.EXPERT;
      placement.put(unit.id(), expert ? Tier.HOST : Tier.DEVICE);
    }
    placement.put(UnitId.embedding(), Tier.HOST);
    long largest =
        units.stream().map(UnitSize::imageBytes).max(Comparator.naturalOrder()).orElseThrow();
    return new Plan(
        DType.F32,
        placement,
        List.of(new KvGroup(KvGroup.Home.DEVICE, 64, SEQUENCES)),
        0,
        MICRO_BATCH_TOKENS,
        2 * largest,
        0,
        0,
        0,
        largest,
        placement.keySet().stream()
            .filter(unit -> unit.kind() == UnitId.Kind.EXPERT && onHost.test(unit))
            .collect(Collectors.toSet()));
  }

  private static Run run(EngineModel model, Device device, Plan plan, boolean overlap) {
    EngineOptions options =
        new EngineOptions(
            Optional.of(DType.F32),
            PLENTY,
            PLENTY,
            THREADS,
            0,
            Batching.of(SEQUENCES, 1, plan.microBatchTokens()),
            Optional.empty(),
            OptionalInt.empty(),
            Optional.empty(),
            AdmissionPolicy.EXPECTED_LENGTH,
            PrefixSharing.USUAL,
            Optional.empty(),
            overlap);
    Random random = new Random(5);
    List<GenerationRequest> requests = new ArrayList<>();
    for (int i = 0; i < SEQUENCES; i++) {
      List<Integer> prompt = random.ints(1 + 5 * i, 0, 8000).boxed().toList();
      requests.add(TestRun.greedy(i, prompt, 5));
    }
    Iterator<GenerationRequest> source = requests.iterator();
    Map<Long, List<Integer>> answers = new HashMap<>();
    try (Engine engine = Engine.open(model, Optional.empty(), device, options, plan)) {
      engine.run(
          () -> source.hasNext() ? Optional.of(source.next()) : Optional.empty(),
          result ->
              answers.put(
                  result.index(), result.choices().getFirst().tokens().stream().boxed().toList()),
          _ -> {});
      return new Run(answers, engine.timeline(), engine.routing());
    }
  }

  private static Device open(long hostMemory) {
    Backend backend = ServiceLoader.load(Backend.class).findFirst().orElseThrow();
    return backend.open(new DeviceOptions(0, PLENTY, hostMemory, THREADS));
  }
}
