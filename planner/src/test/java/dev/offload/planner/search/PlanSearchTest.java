package dev.offload.planner.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.planner.KvGroup.Home;
import dev.offload.planner.Recommendation;
import dev.offload.planner.TestMachine;
import dev.offload.planner.Workload;
import dev.offload.planner.cost.RoutingStatistics;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.search.Candidate.Whole;
import dev.offload.tensors.DType;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlanSearchTest {
  private static final Workload WORKLOAD = Workload.of(512, 32, OptionalLong.of(10_000_000));

  private static Wishes wishes(HardwareProfile machine) {
    return Wishes.of(
        machine.deviceMemoryBytes(), machine.hostMemoryBytes(), 1L << 41, WORKLOAD.longest());
  }

  private static Whole best(TestSizes sizes, TestMachine machine) {
    HardwareProfile profile = machine.profile();
    return new PlanSearch(Format.of(sizes.model(), profile, WORKLOAD, wishes(profile)))
        .best()
        .orElseThrow();
  }

  @ParameterizedTest
  @CsvSource({
    "opt-30b, 15, 200",
    "llama-3-8b, 15, 200",
    "mixtral-8x7b, 22, 120",
    "mixtral-8x7b, 22, 70",
    "qwen3-30b-a3b, 22, 60",
    "llama-3-70b, 40, 250",
    "deepseek-v3, 40, 700"
  })
  void shouldLoseLittleToWholeUnits(String model, long deviceGib, long hostGib) throws IOException {
    TestSizes sizes = TestSizes.of(model, DType.F16);
    TestMachine machine =
        TestMachine.gpu().withDeviceMemory(deviceGib << 30).withHostMemory(hostGib << 30);
    Whole best = best(sizes, machine);
    double program = best.candidate().tokensPerSecond(best.solution().seconds());
    assertTrue(best.tokensPerSecond() >= 0.98 * program, best.tokensPerSecond() + " of " + program);
    assertTrue(best.tokensPerSecond() <= program * (1 + 1e-6), "no more than the program's");
  }

  @Test
  void shouldNeverGiveLessWithMore() throws IOException {
    TestSizes sizes = TestSizes.of("mixtral-8x7b", DType.F16);
    TestMachine machine = TestMachine.gpu().withHostMemory(100L << 30);
    double now = best(sizes, machine).tokensPerSecond();
    List<TestMachine> better =
        List.of(
            machine.withDeviceMemory(24L << 30),
            machine.withHostMemory(150L << 30),
            machine.withLinkRate(24e9),
            machine.withDiskRate(8e9),
            machine.withFlops(80e12),
            machine.withHostAttention(100e9),
            machine.withHostMemoryRate(200e9));
    for (TestMachine each : better) {
      // Designs within a hundredth of the best count as equal.
      double then = best(sizes, each).tokensPerSecond();
      assertTrue(then >= 0.985 * now, then + " instead of " + now + " on " + each);
    }
    assertTrue(best(sizes, machine.withLinkRate(3e9)).tokensPerSecond() < 0.9 * now);
  }

  @Test
  void shouldFindTheBestOfAllPlacementsOfFewUnits() {
    Random random = new Random(7);
    int streaming = 0;
    for (int round = 0; round < 12; round++) {
      FakeModel model = new FakeModel(random, 1 + random.nextInt(3), random.nextInt(3), 2);
      if (units(model.planned()) > 12) {
        continue;
      }
      long device = model.weights() / 4 + 40_000 + random.nextLong(model.weights());
      Wishes wishes = Wishes.of(device, model.weights() / 3 + 60_000, 1L << 30, 50);
      Format format = format(model, TestMachine.gpu(), wishes);
      for (Home home : Home.values()) {
        Optional<Whole> whole = checkedBest(format, design(format, 0), home);
        streaming +=
            whole.stream()
                    .flatMap(each -> each.rounded().counts().stream())
                    .anyMatch(each -> each.host() + each.disk() > 0)
                ? 1
                : 0;
      }
    }
    assertTrue(streaming > 5, "only " + streaming + " stream");
  }

  /** Behind a link so slow that rows take less time there and back than experts take one way. */
  @Test
  void shouldLetTheHostComputeExpertsWhereThatIsTheBestOfAllPlacements() {
    Random random = new Random(7);
    int better = 0;
    int worse = 0;
    for (int round = 0; round < 30; round++) {
      FakeModel model = new FakeModel(random, 1 + random.nextInt(2), 1 + random.nextInt(3), 1);
      if (units(model.planned()) > 11) {
        continue;
      }
      long device = model.weights() / 4 + 40_000 + random.nextLong(model.weights());
      Wishes wishes = Wishes.of(device, model.weights() / 2 + 50_000, 1L << 30, 50);
      Format format = format(model, TestMachine.gpu().withLinkRate(1e6), wishes);
      int experts = format.model().expertsPerLayer();
      Optional<Whole> best = Optional.empty();
      for (int n = 0; n <= experts; n++) {
        Optional<Whole> whole = checkedBest(format, design(format, n), Home.DEVICE);
        if (whole.isPresent() && seconds(whole) < seconds(best)) {
          best = whole;
        }
      }
      if (best.isEmpty()) {
        continue;
      }
      int onHost = best.get().candidate().design().mostHostExperts();
      better += onHost > 0 ? 1 : 0;
      worse += onHost < experts ? 1 : 0;
      Design open = design(format, 0).withHostExperts(1, experts);
      double program =
          Candidate.of(format, open, List.of(Home.DEVICE))
              .flatMap(Candidate::solve)
              .map(PlacementProgram.Solution::seconds)
              .orElse(Double.POSITIVE_INFINITY);
      assertTrue(onHost == 0 || program <= seconds(best) * (1 + 1e-6), "a bound of what is whole");
    }
    assertTrue(better > 3 && worse > 3, better + " on the host, " + worse + " not");
  }

  private static double seconds(Optional<Whole> whole) {
    return whole.map(each -> each.rounded().loads().most()).orElse(Double.POSITIVE_INFINITY);
  }

  private static int units(PlannedModel model) {
    return model.classes().stream().mapToInt(UnitClass::count).sum();
  }

  private static Format format(FakeModel model, TestMachine machine, Wishes wishes) {
    Workload workload = Workload.of(30, 20, OptionalLong.empty());
    return Format.of(model.planned(), machine.profile(), workload, wishes);
  }

  private static Design design(Format format, int hostExperts) {
    long piece =
        format.model().classes().stream().mapToLong(UnitClass::pieceBytes).max().orElseThrow();
    return new Design(2, 2, 1, 8, piece, 3, true, hostExperts, hostExperts);
  }

  /** What the program and rounding find, which must be the best of all placements. */
  private static Optional<Whole> checkedBest(Format format, Design design, Home home) {
    KvSplit split = KvSplit.all(home, 1);
    Rooms rooms = format.memory().rooms(design, split, format.groupBlocks(design));
    PassLoads loads = format.loads(design, format.flow(design));
    double least = leastSeconds(format.model(), design, loads, split, rooms);
    Optional<Whole> whole =
        Candidate.of(format, design, List.of(home)).flatMap(each -> each.round(split));
    assertEquals(least < Double.POSITIVE_INFINITY, whole.isPresent());
    whole.ifPresent(each -> assertEquals(least, each.rounded().loads().most(), 1e-9 * least));
    return whole;
  }

  /** Of all placements, unit by unit, with as many experts of each layer on the host. */
  private static double leastSeconds(
      PlannedModel model, Design design, PassLoads loads, KvSplit split, Rooms rooms) {
    double onHost = (double) design.mostHostExperts() / Math.max(1, model.expertsPerLayer());
    int[] classOf =
        IntStream.range(0, model.classes().size())
            .flatMap(c -> IntStream.range(0, notOnHost(model.classes().get(c), onHost)).map(_ -> c))
            .toArray();
    double least = Double.POSITIVE_INFINITY;
    int placements = (int) Math.pow(3, classOf.length);
    for (int code = 0; code < placements; code++) {
      long hostExperts = Math.round(onHost * model.hostExpertBytes());
      long[] left = {rooms.resident(), rooms.host() - hostExperts, rooms.disk()};
      double[][] away = new double[model.classes().size()][3];
      int rest = code;
      for (int c : classOf) {
        left[rest % 3] -= model.classes().get(c).imageBytes();
        away[c][rest % 3] += 1.0 / model.classes().get(c).count();
        rest /= 3;
      }
      if (left[0] < 0 || left[1] < 0 || left[2] < 0) {
        continue;
      }
      List<Shares.Away> shares = Arrays.stream(away).map(a -> new Shares.Away(a[1], a[2])).toList();
      Shares all = new Shares(shares, onHost, split.streamedShare(), split.attendedShare());
      least = Math.min(least, all.loads(loads).most());
    }
    return least;
  }

  private static int notOnHost(UnitClass each, double onHost) {
    return each.count() - (each.experts() == 0 ? 0 : (int) Math.round(onHost * each.count()));
  }

  /** Two experts of each layer are chosen nearly always, or all of them as often. */
  private static RoutingStatistics routing(boolean skewed) {
    List<Long> counts = new ArrayList<>(Collections.nCopies(8, skewed ? 10L : 1000L));
    if (skewed) {
      counts.set(2, 990L);
      counts.set(5, 950L);
    }
    return new RoutingStatistics(
        IntStream.range(0, 32)
            .mapToObj(layer -> new RoutingStatistics.Layer(layer, 2, counts))
            .toList());
  }

  @Test
  void shouldCopyFewerExpertsIfFewAreChosen() throws IOException {
    TestSizes sizes = TestSizes.of("mixtral-8x7b", DType.F16);
    HardwareProfile machine = TestMachine.gpu().profile();
    Workload few = Workload.of(1, 32, OptionalLong.of(4));
    Planner planner =
        Planner.of(sizes.config(), sizes.weightUnits(), machine, few, wishes(machine));
    double usual = planner.recommend(List.of(sizes)).prediction().programTokensPerSecond();
    double equal =
        planner
            .withRouting(routing(false))
            .recommend(List.of(sizes))
            .prediction()
            .programTokensPerSecond();
    double skewed =
        planner
            .withRouting(routing(true))
            .recommend(List.of(sizes))
            .prediction()
            .programTokensPerSecond();
    assertEquals(usual, equal, 1e-6 * usual);
    assertTrue(skewed > 1.2 * usual, skewed + " instead of " + usual);
  }

  @Test
  void shouldTellWhatToExpect() throws IOException {
    TestSizes sizes = TestSizes.of("opt-30b", DType.F16);
    HardwareProfile machine = TestMachine.gpu().profile();
    Recommendation found =
        Planner.of(sizes.config(), sizes.weightUnits(), machine, WORKLOAD, wishes(machine))
            .recommend(List.of(sizes));
    double steady = found.prediction().programTokensPerSecond();
    assertTrue(found.prediction().tokensPerSecond() <= steady * 1.02);
    assertTrue(found.prediction().tokensPerSecond() > 0.9 * steady, "ten million requests");
    found
        .memory()
        .values()
        .forEach(memory -> assertTrue(memory.usedBytes() <= memory.budgetBytes()));
    assertTrue(found.advice().size() >= 2, found.advice().toString());
    assertTrue(found.alternatives().size() >= 3, found.alternatives().toString());
    assertTrue(found.curve().size() >= 6);
    Recommendation few =
        Planner.of(
                sizes.config(),
                sizes.weightUnits(),
                machine,
                Workload.of(512, 32, OptionalLong.of(4)),
                wishes(machine))
            .recommend(List.of(sizes));
    assertTrue(few.plan().maxSequences() <= 4);
    assertTrue(few.prediction().tokensPerSecond() < steady / 5);
  }
}
