package dev.offload.planner.cost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.planner.TestMachine;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.hardware.HardwareProfile.CopyRate;
import dev.offload.planner.hardware.HardwareProfile.Disk;
import dev.offload.planner.hardware.HardwareProfile.Link;
import dev.offload.planner.hardware.HardwareProfile.Sharing;
import dev.offload.planner.hardware.Processor;
import dev.offload.planner.hardware.Processor.Product;
import dev.offload.tensors.DType;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ModuleCostsTest {
  private static final MatrixShape SQUARE = new MatrixShape(1000, 1000);

  private static Processor processor(Product... products) {
    return new Processor(1e9, 1e-6, Map.of(DType.BF16, 1e12), List.of(products), 1e9, 1e12);
  }

  @Test
  void shouldFollowTheRooflineWithoutMeasurements() {
    ModuleTimes times = new ModuleTimes(processor(), DType.BF16);
    double memory = (2e6 + 6e3) / 1e9;
    assertEquals(memory + 1e-6, times.product(SQUARE, 1).seconds(), 1e-12);
    double arithmetic = 2e6 * 1e6 / 1e12;
    MatrixShape large = new MatrixShape(100_000, 100_000);
    assertEquals(2e10 * 4000 / 1e12 + 1e-6, times.product(large, 4000).seconds(), 1e-9);
    assertEquals(2.0, arithmetic, 0);
  }

  @Test
  void shouldReadMeasuredProductsOffALine() {
    Processor processor =
        processor(
            new Product(DType.BF16, 1000, 1000, 1, 1e-6 + 0.001),
            new Product(DType.BF16, 1000, 1000, 101, 1e-6 + 0.003),
            new Product(DType.BF16, 10, 10, 1, 5),
            new Product(DType.F32, 1000, 1000, 1, 7));
    ModuleTimes times = new ModuleTimes(processor, DType.BF16);
    assertEquals(1e-6 + 0.002, times.product(SQUARE, 51).seconds(), 1e-12);
    assertEquals(2 * (1e-6 + 0.003), times.product(SQUARE, 202).seconds(), 1e-5);
    MatrixShape twice = new MatrixShape(2000, 1000);
    assertEquals(1e-6 + 0.004, times.product(twice, 51).seconds(), 1e-12);
  }

  @Test
  void shouldKnowWhatCachesStillHave() {
    Processor processor =
        processor(
            new Product(DType.BF16, 1000, 1000, 1, 0.002, 0.001),
            new Product(DType.BF16, 1000, 1000, 101, 0.004, 0.005));
    ModuleTimes times = new ModuleTimes(processor, DType.BF16);
    assertEquals(0.002, times.product(SQUARE, 1).seconds(), 1e-12);
    assertEquals(0.001, times.product(SQUARE, 1, 1).seconds(), 1e-12);
    assertEquals(0.0018, times.product(SQUARE, 1, 0.2).seconds(), 1e-12);
    assertEquals(0.9 * times.product(SQUARE, 1).bytes(), times.product(SQUARE, 1, 0.2).bytes(), 1);
    assertEquals(0.004, times.product(SQUARE, 101, 1).seconds(), 1e-12, "never slower");
    assertEquals(Compute.NONE, times.product(SQUARE, 0, 1));
  }

  @Test
  void shouldRefuseAFormatWithoutARate() {
    ModuleTimes times = new ModuleTimes(processor(), DType.F16);
    IllegalArgumentException refusal =
        assertThrows(IllegalArgumentException.class, () -> times.product(SQUARE, 1));
    assertTrue(refusal.getMessage().contains("F16"), refusal.getMessage());
    assertTrue(refusal.getMessage().contains("BF16"), refusal.getMessage());
  }

  @Test
  void shouldKnowHowManyExpertsAreUsed() {
    Random random = new Random(1);
    for (int[] shape : new int[][] {{1, 2, 8}, {5, 2, 8}, {40, 4, 60}, {100, 8, 256}}) {
      ExpertRows rows = new ExpertRows(shape[0], shape[1], shape[2]);
      double used = 0;
      double squares = 0;
      int rounds = 4000;
      for (int round = 0; round < rounds; round++) {
        int[] counts = new int[shape[2]];
        for (int token = 0; token < shape[0]; token++) {
          random.ints(0, shape[2]).distinct().limit(shape[1]).forEach(e -> counts[e]++);
        }
        for (int count : counts) {
          used += count > 0 ? 1 : 0;
          squares += (double) count * count;
        }
      }
      double experts = (double) rounds * shape[2];
      assertEquals(used / experts, rows.used(1), 0.01);
      assertEquals(used / experts, rows.expected(_ -> 1), 0.01);
      assertEquals(rows.mean(), rows.expected(r -> r), 1e-6 * rows.mean());
      assertEquals(squares / experts, rows.expected(r -> r * r), 0.05 * squares / experts);
    }
    assertEquals(1, new ExpertRows(3, 4, 4).used(1));
    assertEquals(0, new ExpertRows(0, 1, 4).used(1));
  }

  @Test
  void shouldClipWindows() {
    AttentionLoad load = new AttentionLoad(10, 500, 100, 50);
    assertEquals(5000, load.decodePairs(0));
    assertEquals(1000, load.decodePairs(100));
    assertEquals(5000, load.promptPairs(0));
    double sum = 0;
    for (int seen = 1; seen <= 100; seen++) {
      sum += Math.min(20, seen);
    }
    assertEquals(sum, load.promptPairs(20), 0.02 * sum);
  }

  @Test
  void shouldCountWhatLanesShare() {
    ModuleCosts gpu = new ModuleCosts(TestMachine.gpu().profile(), DType.F16);
    assertEquals(1e6, gpu.toDevice(1e6, 1).hostBytes());
    assertEquals(1e6, gpu.toDevice(1e6, 1).linkBytes());
    assertEquals(0, gpu.onDevice(new Compute(1, 1, 1)).hostBytes());
    ModuleCosts cpu = new ModuleCosts(TestMachine.cpu().profile(), DType.BF16);
    assertEquals(2e6, cpu.toDevice(1e6, 1).hostBytes());
    assertEquals(0, cpu.toDevice(1e6, 1).linkBytes());
    Cost both = cpu.onDevice(new Compute(1, 0, 10)).plus(cpu.toDevice(8e9, 0));
    assertEquals(2, cpu.sharedSeconds(both).get("cores"), 1e-9);
    assertTrue(cpu.sharedSeconds(both).get("host memory") > 0.6);
  }

  @Test
  void shouldKnowHowManyCoresWorkNeeds() {
    Processor cores = new Processor(2e10, 0, Map.of(), List.of(), 1e10, 1e10);
    CopyRate copies = new CopyRate(9e9, 1e-3);
    HardwareProfile machine =
        new HardwareProfile(
            "test",
            "two cores, of which one moves three quarters of what both do",
            cores,
            1,
            new Link(copies, copies, 9e9),
            cores,
            1,
            new Sharing(20e9, 15e9, 2, 1.5, 3e-4, true),
            new Disk(1, 2, 1, 2, 0.25, 1),
            List.of());
    ModuleCosts costs = new ModuleCosts(machine, DType.BF16);
    assertEquals(2, costs.onDevice(new Compute(1, 0, 20e9)).coreSeconds());
    assertEquals(new Cost(1, 18e9, 0, 1.5), costs.toDevice(9e9, 0));
    assertEquals(new Cost(2, 30e9, 0, 2), costs.onOneCore(30e9));
    assertEquals(new Cost(15, 90, 0, 3.75), costs.read(30), "through a buffer");
    assertEquals(6e-4 + 2 * 15e6 / 15e9, costs.prepare(15e6).seconds(), 1e-12);
    Cost waited = costs.waiting(new Cost(1, 2, 3, 4));
    assertEquals(new Cost(1 + 3e-4, 2, 3, 4, 3e-4), waited, "its lane is not busy before");
    Cost both = costs.waitedFor(new Compute(1, 0, 20e9));
    assertEquals(new Cost(1 + 2 * 3e-4, 20e9, 0, 2 * (1 + 3e-4), 3e-4), both, "cores are wanted");
  }

  @Test
  void shouldCostMoreForMoreRows() {
    ModuleTimes times = new ModuleTimes(TestMachine.gpu().profile().device(), DType.F16);
    double last = 0;
    for (int tokens = 1; tokens < 20_000; tokens = tokens * 3 / 2 + 1) {
      double seconds =
          times.experts(List.of(SQUARE, SQUARE), 8, new ExpertRows(tokens, 2, 8), 1).seconds();
      assertTrue(seconds >= last, tokens + " tokens take less: " + seconds);
      last = seconds;
    }
  }
}
