package dev.offload.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.engine.prefix.PrefixSharing;
import dev.offload.generation.GenerationRequest;
import dev.offload.generation.SamplingParams;
import dev.offload.generation.TokenIds;
import dev.offload.planner.KvGroup;
import dev.offload.planner.Lane;
import dev.offload.planner.PassTimeline;
import dev.offload.planner.PassTimeline.Span;
import dev.offload.planner.Plan;
import dev.offload.tensors.DType;
import dev.offload.tensors.Tier;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.tensors.weights.UnitId;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.ServiceLoader;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A recorded pass of a mixture whose experts are on disk and whose cache the host attends to. */
class PassTimelineTest {
  private static final Path MIXTURE = Path.of("src/test/resources/fixtures/mixtral");
  private static final long MEMORY = 1L << 28;

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldShowWhatEachLaneDidInASteadyPass(boolean overlap) throws Exception {
    List<Progress> progress = new ArrayList<>();
    PassTimeline timeline = run(overlap, 4, 12, progress);
    assertEquals(8, timeline.pass(), "of 12 passes");
    assertEquals(4, timeline.sequences());
    assertEquals(4, timeline.tokens());
    assertEquals(0, timeline.promptTokens());
    // Weights have a queue of their own, beside which other copies go on.
    Map<String, Long> ends = new HashMap<>();
    Set<Lane> lanes = EnumSet.noneOf(Lane.class);
    for (Span span : timeline.spans()) {
      String queue = span.lane() + (span.task().startsWith("copy ") ? " weights" : "");
      assertTrue(span.beginNanos() >= ends.getOrDefault(queue, 0L), "overlap at " + span);
      assertTrue(span.beginNanos() < span.endNanos(), span.toString());
      assertTrue(span.endNanos() <= timeline.nanos(), span.toString());
      ends.put(queue, span.endNanos());
      lanes.add(span.lane());
    }
    assertEquals(EnumSet.allOf(Lane.class), lanes, "lanes with spans");
    List<String> tasks = timeline.spans().stream().map(Span::task).toList();
    assertEquals(1, count(tasks, "attend on the host, layer 1, micro-batch 0"));
    assertEquals(1, count(tasks, "route, layer 0"));
    assertEquals(1, count(tasks, "download logits"));
    assertTrue(
        tasks.stream().anyMatch(t -> t.matches("read experts? \\d+.*, layer \\d")), "" + tasks);
    assertTrue(tasks.stream().anyMatch(t -> t.matches("experts? \\d+.*, layer \\d")), "" + tasks);
  }

  @Test
  void shouldKeepAFullPassRatherThanALaterOneThatIsNearlyEmpty() throws Exception {
    List<Progress> progress = new ArrayList<>();
    PassTimeline timeline = run(true, 1, 20, progress);
    assertEquals(20, progress.size());
    // Three of four rows end with pass 9, so that pass 16 has one sequence.
    assertEquals(8, timeline.pass());
    assertEquals(4, timeline.sequences());
  }

  @Test
  void shouldTellHowTimeWasSpent() throws Exception {
    List<Progress> progress = new ArrayList<>();
    run(true, 4, 12, progress);
    Progress last = progress.getLast();
    assertTrue(last.choosingNanos() > 0);
    assertTrue(last.choosingNanos() < last.prefillNanos() + last.decodeNanos());
    assertTrue(last.prefillNanos() + last.decodeNanos() <= last.elapsedNanos());
    assertTrue(last.diskBytes() > 0);
    assertEquals(4, last.sequencesRunning());
  }

  private static long count(List<String> tasks, String name) {
    return tasks.stream().filter(name::equals).count();
  }

  /**
   * Four rows.
   *
   * @param longRows how many of them generate so many tokens; the others 9
   */
  private static PassTimeline run(
      boolean overlap, int longRows, int tokens, List<Progress> progress) throws Exception {
    Iterator<GenerationRequest> requests =
        List.of(0, 1, 2, 3).stream()
            .map(
                i ->
                    new GenerationRequest(
                        i, TokenIds.of(5, 6, 7), greedy(i < longRows ? tokens : 9)))
            .iterator();
    Backend backend = ServiceLoader.load(Backend.class).findFirst().orElseThrow();
    try (ModelFolder folder = ModelFolder.open(MIXTURE);
        Device device = backend.open(new DeviceOptions(0, MEMORY, MEMORY, 2))) {
      EngineModel model = EngineModel.of(folder);
      EngineOptions options = options(overlap);
      Plan plan = awayFromDevice(Engine.plan(model, device, options));
      try (Engine engine = Engine.open(model, Optional.empty(), device, options, plan)) {
        assertTrue(engine.timeline().isEmpty(), "nothing ran");
        engine.run(
            () -> requests.hasNext() ? Optional.of(requests.next()) : Optional.empty(),
            _ -> {},
            progress::add);
        assertEquals(
            plan.placement().containsValue(Tier.DISK),
            engine.tierBytes().weights().get(Tier.DISK) > 0);
        assertTrue(engine.tierBytes().cache().get(Tier.HOST) > 0);
        return engine.timeline().orElseThrow();
      }
    }
  }

  private static EngineOptions options(boolean overlap) {
    return new EngineOptions(
        Optional.of(DType.F32),
        MEMORY,
        MEMORY,
        2,
        0,
        Batching.of(4, 1, 64),
        Optional.empty(),
        OptionalInt.of(64),
        Optional.of(KvGroup.Home.HOST_ATTENDED),
        AdmissionPolicy.EXPECTED_LENGTH,
        PrefixSharing.USUAL,
        Optional.empty(),
        overlap);
  }

  private static SamplingParams greedy(int tokens) {
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
        1,
        0);
  }

  /**
   * With all twelve experts on disk. The ring and the staging blocks have room for a few of them
   * only, so that not all that a pass needs can be read before it begins, whoever gets the cores.
   */
  private static Plan awayFromDevice(Plan plan) {
    Map<UnitId, Tier> placement = new HashMap<>(plan.placement());
    placement.replaceAll((id, home) -> id.kind() == UnitId.Kind.EXPERT ? Tier.DISK : home);
    long granule = 64 << 10;
    return new Plan(
        plan.computeDType(),
        placement,
        plan.kvGroups(),
        plan.kvRingSlots(),
        plan.microBatchTokens(),
        2 * granule,
        2 * granule,
        plan.swapBlocks(),
        plan.diskSwapBlocks(),
        granule);
  }
}
