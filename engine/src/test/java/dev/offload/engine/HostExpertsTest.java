package dev.offload.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.api.MemoryBudgetException;
import dev.offload.engine.prefix.PrefixSharing;
import dev.offload.generation.GenerationRequest;
import dev.offload.planner.KvGroup;
import dev.offload.planner.Lane;
import dev.offload.planner.PassTimeline;
import dev.offload.planner.Plan;
import dev.offload.planner.UnitSize;
import dev.offload.tensors.DType;
import dev.offload.tensors.Tier;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.tensors.weights.UnitId;
import java.io.IOException;
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
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Experts of the host are computed there, never copied, in the memory that was planned for them.
 */
class HostExpertsTest {
  private static final Path MODEL = Path.of("../examples/models/tiny-moe");
  private static final long PLENTY = 1L << 30;
  private static final int THREADS = 2;
  private static final int SEQUENCES = 6;

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
        assertTrue(planned > sizes.hostBytes(plan.withHostExperts(Set.of())) + weights);
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

  private record Run(Map<Long, List<Integer>> answers, Optional<PassTimeline> timeline) {
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
        24,
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
            SEQUENCES,
            1,
            plan.microBatchTokens(),
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
      return new Run(answers, engine.timeline());
    }
  }

  private static Device open(long hostMemory) {
    Backend backend = ServiceLoader.load(Backend.class).findFirst().orElseThrow();
    return backend.open(new DeviceOptions(0, PLENTY, hostMemory, THREADS));
  }
}
