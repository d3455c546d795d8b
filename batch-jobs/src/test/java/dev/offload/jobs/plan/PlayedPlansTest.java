package dev.offload.jobs.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.planner.KvGroup;
import dev.offload.planner.ModelSizes;
import dev.offload.planner.Recommendation;
import dev.offload.planner.Work;
import dev.offload.planner.Workload;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.hardware.Presets;
import dev.offload.planner.search.Wishes;
import dev.offload.planner.simulate.PlayedPass;
import dev.offload.planner.simulate.SteadyPass;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.tensors.weights.ModelShape;
import dev.offload.tensors.weights.UnitId;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the linear program promises, the engine's own schedule keeps where it is simulated. */
class PlayedPlansTest {
  private static final double CLOSE = 0.05;

  private static final Workload WORKLOAD = Workload.of(512, 32, OptionalLong.empty());

  @ParameterizedTest
  @CsvSource({
    "mixtral-8x7b, t4",
    "mixtral-8x7b, h100",
    "gpt-oss-20b, t4",
    "opt-30b, t4",
    "llama-3-8b, t4",
    "llama-3-8b, rtx-4090",
    "llama-3-70b, a100-80",
    "llama-2-70b, a5000",
    "qwen2.5-32b, rtx-3090",
    "gemma-2-27b, l4"
  })
  void shouldTakeAsLongAsTheProgramSays(String model, String machine) throws Exception {
    Played played = play(model, machine, WORKLOAD);
    double promised = played.plan().prediction().passSeconds();
    assertEquals(promised, played.pass().seconds(), CLOSE * promised);
  }

  @ParameterizedTest
  @CsvSource({
    "mixtral-8x7b, t4, 1",
    "mixtral-8x7b, rtx-4090, 1",
    "mixtral-8x7b, h100, 16", // copies slow the host down
    "qwen3-30b-a3b, rtx-4090, 16", // and it them
    "gpt-oss-120b, rtx-4090, 16"
  })
  void shouldLetTheHostComputeExpertsOfFewSequences(String model, String machine, int sequences)
      throws Exception {
    Workload few = Workload.of(128, 128, OptionalLong.of(sequences));
    Played played = play(model, machine, few);
    Set<UnitId> experts = played.plan().plan().hostExperts();
    Map<Integer, Long> byLayer =
        experts.stream().collect(Collectors.groupingBy(UnitId::layer, Collectors.counting()));
    assertEquals(1, Set.copyOf(byLayer.values()).size(), "as many in each layer: " + byLayer);
    assertEquals(
        experts.size(),
        played.pass().entries().stream()
            .map(each -> each.task().work())
            .filter(Work.ExpertsOnHost.class::isInstance)
            .mapToInt(each -> ((Work.ExpertsOnHost) each).experts().units().size())
            .sum());
    double promised = played.plan().prediction().passSeconds();
    assertEquals(promised, played.pass().seconds(), CLOSE * promised);
  }

  @Test
  void shouldAlsoBeTriedWithCachesInSeveralHomes() throws Exception {
    Set<KvGroup.Home> homes = new TreeSet<>();
    play("mixtral-8x7b", "h100", WORKLOAD)
        .plan()
        .plan()
        .kvGroups()
        .forEach(group -> homes.add(group.home()));
    assertTrue(homes.size() > 1, homes.toString());
  }

  private record Played(Recommendation plan, PlayedPass pass) {}

  private static Played play(String model, String machine, Workload workload) throws Exception {
    ModelShape shape = ModelFolder.describe(Path.of("../examples/shapes", model));
    HardwareProfile profile = Presets.load().find(machine).profile();
    ShapePlanner planner = ShapePlanner.of(shape, profile);
    ModelSizes sizes = planner.sizes(planner.usualFormat(), shape.packing().isPresent());
    Wishes wishes =
        Wishes.of(
            planner.deviceBytes(),
            planner.hostBytes(),
            profile.disk().freeBytes(),
            workload.longest());
    Recommendation found = planner.planner(workload, wishes).recommend(List.of(sizes));
    return new Played(
        found,
        SteadyPass.play(
            found.plan(),
            shape.config(),
            planner.model().units(),
            sizes,
            planner.layout().matrixInput(found.plan().computeDType()),
            profile,
            workload,
            Optional.empty()));
  }
}
