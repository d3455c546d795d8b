package dev.offload.planner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.tensors.DType;
import dev.offload.tensors.Tier;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.tensors.weights.UnitId;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Experts of the host have their own way through a pass; the others keep theirs. */
class HostExpertScheduleTest {
  private static final Path SHAPE = Path.of("../examples/shapes/moe-880m");

  /** 40 sequences that decode. */
  private static final PassShape PASS =
      new PassShape(List.of(new PassShape.MicroBatch(40, 0, 40, 40, 400, 0, 1000, 100)), 40, 0, 0);

  @Test
  void shouldTakeRowsToTheHostAndBackBeforeTheyAreAddedUp() throws Exception {
    for (List<Task> pass : passes(expert -> expert.number() % 3 == expert.layer() % 3)) {
      for (int layer = 0; layer < 16; layer++) {
        Task collect = only(pass, Work.Collect.class, Work.Collect::layer, layer);
        Task down = only(pass, Work.DownloadRows.class, of -> of.experts().layer(), layer);
        Task compute = only(pass, Work.ExpertsOnHost.class, of -> of.experts().layer(), layer);
        Task up = only(pass, Work.UploadRows.class, of -> of.experts().layer(), layer);
        Task combine = only(pass, Work.Combine.class, Work.Combine::layer, layer);
        assertEquals(List.of(collect.id()), down.after());
        assertEquals(List.of(down.id()), compute.after());
        assertEquals(List.of(compute.id()), up.after());
        assertEquals(List.of(up.id()), combine.after());
        assertEquals(
            List.of(Lane.D2H, Lane.CPU, Lane.H2D), List.of(down.lane(), compute.lane(), up.lane()));
      }
    }
  }

  @Test
  void shouldNotKeepWeightsWaitingForTheHost() throws Exception {
    for (List<Task> pass : passes(expert -> expert.number() < 16)) {
      for (Task up : tasks(pass, Work.UploadRows.class)) {
        int layer = ((Work.UploadRows) up.work()).experts().layer();
        for (Task experts : tasks(pass, Work.Experts.class)) {
          if (((Work.Experts) experts.work()).layer() == layer) {
            assertTrue(
                experts.after().stream().allMatch(copy -> copy < up.id()), layer + ": " + up);
          }
        }
      }
    }
  }

  @Test
  void shouldComputeEachExpertOnceAndCopyNoneOfTheHost() throws Exception {
    Predicate<UnitId> onHost =
        expert -> expert.layer() == 5 || (expert.layer() != 4 && expert.number() % 2 == 0);
    for (List<Task> pass : passes(onHost)) {
      List<UnitId> computed = new ArrayList<>();
      List<UnitId> there = new ArrayList<>();
      for (Task task : pass) {
        switch (task.work()) {
          case Work.Experts of -> computed.addAll(of.weights().granule().units());
          case Work.ExpertsOnHost of -> there.addAll(of.experts().units());
          case Work.CopyWeights of ->
              assertTrue(of.granule().units().stream().noneMatch(onHost), of.toString());
          default -> {}
        }
      }
      assertEquals(32 + 14 * 16, there.stream().filter(onHost).count());
      computed.addAll(there);
      assertEquals(16 * 32, computed.size());
      assertEquals(16 * 32, Set.copyOf(computed).size());
    }
  }

  private static <W extends Work> Task only(
      List<Task> pass, Class<W> kind, Function<W, Integer> layerOf, int layer) {
    List<Task> found =
        tasks(pass, kind).stream()
            .filter(task -> layerOf.apply(kind.cast(task.work())) == layer)
            .toList();
    assertEquals(1, found.size(), () -> kind + " of layer " + layer);
    return found.getFirst();
  }

  private static List<Task> tasks(List<Task> pass, Class<? extends Work> kind) {
    return pass.stream().filter(task -> kind.isInstance(task.work())).toList();
  }

  /** Two passes with all experts in host memory and a ring for three granules. */
  private static List<List<Task>> passes(Predicate<UnitId> onHost) throws Exception {
    try (ModelFolder folder = ModelFolder.fromConfig(SHAPE)) {
      ModelConfig config = folder.config();
      List<UnitSize> units =
          folder.units().stream()
              .filter(unit -> unit.id().kind() != UnitId.Kind.EMBEDDING)
              .map(unit -> new UnitSize(unit.id(), unit.bytes(), unit.bytes(), false))
              .toList();
      Map<UnitId, Tier> placement = new HashMap<>();
      for (UnitSize unit : units) {
        boolean expert = unit.id().kind() == UnitId.Kind.EXPERT;
        placement.put(unit.id(), expert ? Tier.HOST : Tier.DEVICE);
      }
      long expertBytes =
          units.stream()
              .filter(unit -> unit.id().kind() == UnitId.Kind.EXPERT)
              .map(UnitSize::imageBytes)
              .max(Comparator.naturalOrder())
              .orElseThrow();
      Plan plan =
          new Plan(
              DType.BF16,
              placement,
              List.of(new KvGroup(KvGroup.Home.DEVICE, 100, 8)),
              0,
              64,
              6 * expertBytes,
              0,
              0,
              0,
              2 * expertBytes,
              placement.keySet().stream()
                  .filter(unit -> unit.kind() == UnitId.Kind.EXPERT && onHost.test(unit))
                  .collect(Collectors.toSet()));
      ScheduleBuilder builder =
          new ScheduleBuilder(plan, Granules.of(plan, units), config, DType.F32);
      return List.of(builder.next(PASS).tasks(), builder.next(PASS).tasks());
    }
  }
}
