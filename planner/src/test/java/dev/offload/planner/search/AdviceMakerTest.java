package dev.offload.planner.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.planner.Recommendation.Advice;
import dev.offload.planner.TestMachine;
import dev.offload.planner.Workload;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.search.Candidate.Whole;
import dev.offload.planner.search.PlacementProgram.Memory;
import dev.offload.tensors.DType;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;

/** What advice says that a little more of something gives is what solving again gives. */
class AdviceMakerTest {
  private static final Workload WORKLOAD = Workload.of(512, 32, OptionalLong.of(10_000_000));

  /** Part of a rate that is added. */
  private static final double LITTLE = 3e-4;

  /** Prices are as good as the program is solved. */
  private static final double SOLVED = 1e-7;

  private static Whole best(TestSizes sizes, TestMachine machine) {
    HardwareProfile profile = machine.profile();
    Wishes wishes =
        Wishes.of(
            profile.deviceMemoryBytes(), profile.hostMemoryBytes(), 1L << 41, WORKLOAD.longest());
    return new PlanSearch(Format.of(sizes.model(), profile, WORKLOAD, wishes)).best().orElseThrow();
  }

  /** Machines on each of which something else is scarce. */
  private static List<TestMachine> machines() {
    TestMachine gpu = TestMachine.gpu();
    return List.of(
        gpu,
        gpu.withHostMemory(40L << 30),
        gpu.withHostMemory(80L << 30).withLinkRate(3e9),
        gpu.withHostMemory(80L << 30).withLinkRate(50e9),
        gpu.withHostMemory(40L << 30).withDiskRate(10e9),
        gpu.withFlops(5e12),
        gpu.withDeviceMemoryRate(30e9),
        gpu.withHostMemoryRate(8e9),
        gpu.withHostMemoryRate(15e9).withHostAttention(14e9),
        gpu.withHostAttention(5e9).withLinkRate(2e9),
        gpu.withHostAttention(20e9).withLinkRate(1e9).withHostMemory(100L << 30),
        gpu.withLinkRate(50e9).withDeviceMemoryRate(60e9).withFlops(20e12));
  }

  @Test
  void shouldPriceMemoryAsSolvingAgainDoes() throws IOException {
    Map<Memory, Integer> binding = new LinkedHashMap<>();
    for (String model : List.of("opt-30b", "mixtral-8x7b")) {
      TestSizes sizes = TestSizes.of(model, DType.F16);
      for (TestMachine machine : machines()) {
        Whole best = best(sizes, machine);
        AdviceMaker maker = new AdviceMaker(best);
        double now = best.solution().seconds();
        for (Memory memory : List.of(Memory.DEVICE, Memory.HOST)) {
          long more = 1L << 24;
          double again = now - maker.seconds(best.candidate().loads(), more(best, memory, more));
          double priced = best.solution().prices().get(memory) * more;
          assertClose(again, priced, now, model + " " + memory + " " + machine);
          binding.merge(memory, again > 100 * SOLVED * now ? 1 : 0, Integer::sum);
        }
      }
    }
    binding.forEach((memory, count) -> assertTrue(count >= 3, memory + " binds " + count));
  }

  private static Rooms more(Whole best, Memory memory, long bytes) {
    Rooms of = best.rooms();
    long device = memory == Memory.DEVICE ? bytes : 0;
    long host = memory == Memory.HOST ? bytes : 0;
    return new Rooms(
        of.device() + device,
        of.loading() + device,
        of.host() + host,
        of.disk(),
        of.tablesOnHost());
  }

  @Test
  void shouldPriceRatesAsSolvingAgainDoes() throws IOException {
    Map<String, BiFunction<AdviceMaker, TestMachine, HardwareProfile>> rates =
        new LinkedHashMap<>();
    rates.put("link", (_, of) -> of.withLinkRate(of.linkRate() * (1 + LITTLE)).profile());
    rates.put("disk", (_, of) -> of.withDiskRate(of.diskRate() * (1 + LITTLE)).profile());
    rates.put("arithmetic", (_, of) -> of.withFlops(of.flops() * (1 + LITTLE)).profile());
    rates.put(
        "device memory",
        (_, of) -> of.withDeviceMemoryRate(of.deviceMemoryRate() * (1 + LITTLE)).profile());
    rates.put("host memory", (maker, of) -> maker.withHost(of.hostMemoryRate() * LITTLE));
    rates.put("attention", (maker, _) -> maker.withAttention(1 + LITTLE));
    Map<String, Integer> binding = new LinkedHashMap<>();
    for (String model : List.of("opt-30b", "mixtral-8x7b")) {
      TestSizes sizes = TestSizes.of(model, DType.F16);
      for (TestMachine machine : machines()) {
        Whole best = best(sizes, machine);
        AdviceMaker maker = new AdviceMaker(best);
        double now = best.solution().seconds();
        rates.forEach(
            (name, faster) -> {
              HardwareProfile other = faster.apply(maker, machine);
              double again = now - again(maker, best, other);
              assertClose(again, maker.faster(other), now, model + " " + name + " " + machine);
              binding.merge(name, again > 100 * SOLVED * now ? 1 : 0, Integer::sum);
            });
      }
    }
    binding.forEach((rate, count) -> assertTrue(count >= 2, rate + " binds " + count));
  }

  /** Seconds of the best placement of the same design on another machine. */
  private static double again(AdviceMaker maker, Whole best, HardwareProfile machine) {
    Format here = best.candidate().format();
    Format there = Format.of(here.model(), machine, here.workload(), here.wishes());
    return maker.seconds(
        there.loads(best.candidate().design(), best.candidate().flow()), best.rooms());
  }

  private static void assertClose(double again, double priced, double now, String what) {
    assertEquals(again, priced, SOLVED * now + 0.05 * Math.abs(again), what);
  }

  /** A step that is larger than what a price holds for is solved for. */
  @Test
  void shouldNotPromiseMoreThanALargeStepGives() throws IOException {
    TestSizes sizes = TestSizes.of("opt-30b", DType.F16);
    int large = 0;
    for (TestMachine machine : machines()) {
      Whole best = best(sizes, machine);
      AdviceMaker maker = new AdviceMaker(best);
      double now = best.solution().seconds();
      for (HardwareProfile other :
          List.of(
              maker.withLink(1e9),
              maker.withDisk(1e9),
              maker.withHost(10e9),
              maker.withDevice(1.1, 1),
              maker.withDevice(1, 1.1),
              maker.withAttention(1.1))) {
        double again = now - again(maker, best, other);
        double said = maker.faster(other);
        assertTrue(said <= again + 0.05 * now, said + " instead of " + again + " on " + machine);
        large += again > 0.05 * now ? 1 : 0;
      }
      for (Advice advice : AdviceMaker.of(best)) {
        assertTrue(advice.tokensPerSecond() > 0, advice.toString());
      }
    }
    assertTrue(large > 5, "only " + large + " large steps");
  }
}
