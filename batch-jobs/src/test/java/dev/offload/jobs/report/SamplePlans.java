package dev.offload.jobs.report;

import dev.offload.jobs.report.JobReport.TaskSpan;
import dev.offload.jobs.report.JobReport.Timeline;
import dev.offload.planner.KvGroup;
import dev.offload.planner.Lane;
import dev.offload.planner.Plan;
import dev.offload.planner.Recommendation;
import dev.offload.planner.Recommendation.Advice;
import dev.offload.planner.Recommendation.Alternative;
import dev.offload.planner.Recommendation.CurvePoint;
import dev.offload.planner.Recommendation.Item;
import dev.offload.planner.Recommendation.Memory;
import dev.offload.planner.Recommendation.Operation;
import dev.offload.planner.Recommendation.Prediction;
import dev.offload.planner.Workload;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.hardware.HardwareProfile.Assumption;
import dev.offload.planner.hardware.HardwareProfile.CopyRate;
import dev.offload.planner.hardware.HardwareProfile.Disk;
import dev.offload.planner.hardware.HardwareProfile.Link;
import dev.offload.planner.hardware.HardwareProfile.Sharing;
import dev.offload.planner.hardware.Processor;
import dev.offload.tensors.DType;
import dev.offload.tensors.Tier;
import dev.offload.tensors.weights.UnitId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** Dry runs for which nothing was planned. */
public final class SamplePlans {
  private static final long GIB = 1L << 30;

  private SamplePlans() {}

  /**
   * A mixture of experts on a small card.
   *
   * @param text name of the model, of an assumption and in a warning
   */
  public static PlanReport mixture(String text) {
    Recommendation found =
        new Recommendation(
            plan(),
            hardware(text),
            Workload.of(512, 32, OptionalLong.of(10_000)),
            new Prediction(
                61.5,
                1480,
                70.25,
                12.5,
                12_240,
                5203,
                Map.of(Lane.H2D, 12.5, Lane.GPU, 6.25, Lane.CPU, 1.25, Lane.DISK, 0.0),
                Map.of("host memory", 5.0),
                "h2d",
                62.0),
            memory(),
            List.of(
                new Advice("1 GiB more device memory", 1.5),
                new Advice("1 GB/s more to the device", 5.25)),
            List.of(
                new Alternative("KV cache on the device", 30.5, "fewer sequences have room"),
                new Alternative("float32", 0, "weights exceed the host by 20 GiB")),
            curve(),
            List.of(
                new Operation("attention", 2e12, 4e9, 0.5),
                new Operation("experts", 9e13, 9e10, 5.5),
                new Operation("output", 1e12, 2e8, 0.25)),
            List.of("the disk is not needed", text));
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("parameters", "46.7 billion");
    facts.put("active", "12.9 billion");
    Map<String, Map<Tier, Long>> placement = new LinkedHashMap<>();
    placement.put("experts", Map.of(Tier.DEVICE, 8 * GIB, Tier.HOST, 76 * GIB));
    placement.put("KV cache", Map.of(Tier.HOST, 40 * GIB));
    return new PlanReport(text, facts, found, placement, Optional.of(pass()));
  }

  private static Plan plan() {
    return new Plan(
        DType.F16,
        Map.of(UnitId.expert(0, 0), Tier.HOST),
        List.of(
            new KvGroup(KvGroup.Home.HOST_ATTENDED, 100, 360),
            new KvGroup(KvGroup.Home.HOST_ATTENDED, 100, 360)),
        0,
        6120,
        GIB,
        0,
        0,
        0,
        4 << 20);
  }

  private static HardwareProfile hardware(String text) {
    Processor device =
        new Processor(240e9, 5e-6, Map.of(DType.F16, 42e12), List.of(), 190e9, 20e12);
    Processor host = new Processor(60e9, 0, Map.of(DType.F32, 1e12), List.of(), 50e9, 5e11);
    return new HardwareProfile(
        "t4",
        "NVIDIA T4 16 GB",
        device,
        15 * GIB,
        new Link(new CopyRate(12e9, 2e-6), new CopyRate(11e9, 2e-6), 20e9),
        host,
        208 * GIB,
        new Sharing(60e9, 32, false),
        new Disk(1500 * GIB, 0.5e9, 0.4e9),
        List.of(new Assumption("host.cores", "32", text)));
  }

  private static Map<Tier, Memory> memory() {
    return Map.of(
        Tier.DEVICE,
        new Memory(15 * GIB, List.of(new Item("experts", 8 * GIB), new Item("workspace", 5 * GIB))),
        Tier.HOST,
        new Memory(
            208 * GIB, List.of(new Item("experts", 76 * GIB), new Item("KV cache", 40 * GIB))),
        Tier.DISK,
        new Memory(1500 * GIB, List.of()));
  }

  private static List<CurvePoint> curve() {
    List<CurvePoint> curve = new ArrayList<>();
    for (int sequences = 1; sequences <= 2048; sequences *= 2) {
      curve.add(
          new CurvePoint(
              sequences,
              Math.min(61.5, sequences * 0.25),
              sequences <= 128 ? "h2d" : sequences <= 512 ? "gpu" : "host memory"));
    }
    return curve;
  }

  private static Timeline pass() {
    List<TaskSpan> tasks = new ArrayList<>();
    for (int layer = 0; layer < 20; layer++) {
      long begin = layer * 625_000_000L;
      tasks.add(new TaskSpan("h2d", "copy expert, layer " + layer, begin, begin + 625_000_000));
      tasks.add(new TaskSpan("gpu", "experts, layer " + layer, begin, begin + 312_500_000));
      tasks.add(new TaskSpan("cpu", "attend, layer " + layer, begin, begin + 62_500_000));
    }
    return new Timeline(1, 720, 12_240, 11_520, 12_500_000_000L, tasks);
  }
}
