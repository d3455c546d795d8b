package dev.offload.planner.search;

import dev.offload.planner.Recommendation.Advice;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.hardware.HardwareProfile.Disk;
import dev.offload.planner.hardware.HardwareProfile.Link;
import dev.offload.planner.hardware.HardwareProfile.Sharing;
import dev.offload.planner.hardware.Processor;
import dev.offload.planner.search.Candidate.Whole;
import dev.offload.planner.search.PlacementProgram.Memory;
import dev.offload.tensors.DType;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a little more of something would give, from the program's duals: the price of a memory says
 * how much a byte shortens the pass, and the weights of the rows how much a second less in each
 * does, so that a faster lane counts by what its row would be with the same placement (the envelope
 * theorem). For small changes that is what solving again gives.
 */
final class AdviceMaker {
  private static final double GIB = 1L << 30;

  /** Where duals are not known, this part of a change stands for all of it. */
  private static final double SMALL = 1.0 / 128;

  /** Prices hold for small changes; what gives more than this share of a pass is solved for. */
  private static final double SMALL_GAIN = 0.05;

  /** Advice that gives less is not worth a line. */
  private static final double LEAST_GAIN = 1e-4;

  private final Whole plan;
  private final HardwareProfile machine;

  /** Whether the solver told of all rows: the weights of those that bind add up to one. */
  private final boolean hasDuals;

  AdviceMaker(Whole plan) {
    this.plan = plan;
    this.machine = plan.candidate().format().machine();
    double weights =
        plan.solution().weights().values().stream().mapToDouble(Double::doubleValue).sum();
    this.hasDuals = Math.abs(weights - 1) < 1e-6;
  }

  /** Advice, the most useful first. */
  static List<Advice> of(Whole plan) {
    AdviceMaker maker = new AdviceMaker(plan);
    List<Advice> advice = new ArrayList<>();
    maker.add(advice, "1 GiB more device memory", maker.memory(Memory.DEVICE));
    maker.add(advice, "1 GiB more host memory", maker.memory(Memory.HOST));
    maker.add(advice, "1 GB/s more between host and device", maker.faster(maker.withLink(1e9)));
    maker.add(advice, "1 GB/s more from disk", maker.faster(maker.withDisk(1e9)));
    maker.add(advice, "10 GB/s more host memory rate", maker.faster(maker.withHost(10e9)));
    maker.add(advice, "10 % more device arithmetic", maker.faster(maker.withDevice(1.1, 1)));
    maker.add(advice, "10 % more device memory rate", maker.faster(maker.withDevice(1, 1.1)));
    maker.add(advice, "10 % more host arithmetic", maker.faster(maker.withHostArithmetic(1.1)));
    maker.add(advice, "10 % faster attention on the host", maker.faster(maker.withAttention(1.1)));
    advice.sort(Comparator.comparingDouble(Advice::tokensPerSecond).reversed());
    return advice;
  }

  private void add(List<Advice> advice, String change, double secondsLess) {
    double now = plan.candidate().tokensPerSecond(plan.solution().seconds());
    double gain =
        now * secondsLess / (plan.solution().seconds() + plan.candidate().loads().between());
    if (gain > LEAST_GAIN * now) {
      advice.add(new Advice(change, gain));
    }
  }

  /** Seconds by which a pass is shorter with a GiB more. */
  double memory(Memory memory) {
    if (!hasDuals) {
      return secondsLess(memory, (long) (GIB * SMALL)) / SMALL;
    }
    double byPrice = plan.solution().prices().getOrDefault(memory, 0.0) * GIB;
    boolean small = byPrice <= SMALL_GAIN * plan.solution().seconds();
    return small ? byPrice : Math.min(byPrice, secondsLess(memory, (long) GIB));
  }

  /** Seconds by which a pass is shorter with so many bytes more. */
  private double secondsLess(Memory memory, long more) {
    Rooms rooms = plan.rooms();
    Rooms with =
        switch (memory) {
          case DEVICE ->
              new Rooms(
                  rooms.device() + more,
                  rooms.loading() + more,
                  rooms.host(),
                  rooms.disk(),
                  rooms.tablesOnHost());
          case HOST ->
              new Rooms(
                  rooms.device(),
                  rooms.loading(),
                  rooms.host() + more,
                  rooms.disk(),
                  rooms.tablesOnHost());
          case DISK ->
              new Rooms(
                  rooms.device(),
                  rooms.loading(),
                  rooms.host(),
                  rooms.disk() + more,
                  rooms.tablesOnHost());
        };
    return plan.solution().seconds() - seconds(plan.candidate().loads(), with);
  }

  /** Solves again. */
  double seconds(PassLoads loads, Rooms rooms) {
    Format format = plan.candidate().format();
    return PlacementProgram.solve(
            format.model(), plan.candidate().design(), loads, plan.split(), rooms)
        .map(PlacementProgram.Solution::seconds)
        .orElse(plan.solution().seconds());
  }

  /** Seconds by which a pass is shorter on another machine. */
  double faster(HardwareProfile other) {
    Candidate candidate = plan.candidate();
    Format format = candidate.format();
    Format there = Format.of(format.model(), other, format.workload(), format.wishes());
    PassLoads faster = there.loads(candidate.design(), candidate.flow());
    if (!hasDuals) {
      return plan.solution().seconds() - seconds(faster, plan.rooms());
    }
    Shares shares = plan.solution().shares();
    Loads here = shares.loads(candidate.loads());
    Loads now = shares.loads(faster);
    double seconds = 0;
    for (Map.Entry<Row, Double> weight : plan.solution().weights().entrySet()) {
      seconds += weight.getValue() * (here.of(weight.getKey()) - now.of(weight.getKey()));
    }
    boolean small = seconds <= SMALL_GAIN * plan.solution().seconds();
    return small ? seconds : plan.solution().seconds() - seconds(faster, plan.rooms());
  }

  HardwareProfile withLink(double more) {
    Link link = machine.link();
    return with(
        machine.device(),
        new Link(
            link.toDevice().faster(more),
            link.toHost().faster(more),
            link.bothBytesPerSecond() * (1 + more / link.toDevice().bytesPerSecond())),
        machine.host(),
        machine.sharing(),
        machine.disk());
  }

  HardwareProfile withDisk(double more) {
    return with(
        machine.device(),
        machine.link(),
        machine.host(),
        machine.sharing(),
        machine.disk().withReads(machine.disk().readBytesPerSecond() + more));
  }

  HardwareProfile withHost(double more) {
    Sharing sharing = machine.sharing();
    return with(
        machine.device(),
        machine.link(),
        machine.host(),
        new Sharing(
            sharing.hostMemoryBytesPerSecond() + more,
            sharing.coreBytesPerSecond(),
            sharing.cores(),
            sharing.copyCores(),
            sharing.handOverSeconds(),
            sharing.deviceIsHost()),
        machine.disk());
  }

  HardwareProfile withHostArithmetic(double factor) {
    return with(
        machine.device(),
        machine.link(),
        scaled(machine.host(), factor, 1),
        machine.sharing(),
        machine.disk());
  }

  HardwareProfile withDevice(double arithmetic, double memory) {
    return with(
        scaled(machine.device(), arithmetic, memory),
        machine.link(),
        machine.host(),
        machine.sharing(),
        machine.disk());
  }

  HardwareProfile withAttention(double factor) {
    Processor host = machine.host();
    return with(
        machine.device(),
        machine.link(),
        new Processor(
            host.memoryBytesPerSecond(),
            host.rowBytesPerSecond(),
            host.packBytesPerSecond(),
            host.launchSeconds(),
            host.peakFlops(),
            host.products(),
            host.attentionBytesPerSecond() * factor,
            host.attentionFlops() * factor),
        machine.sharing(),
        machine.disk());
  }

  /** Measured products become shorter in proportion if both rates grow, else by arithmetic. */
  private static Processor scaled(Processor of, double arithmetic, double memory) {
    Map<DType, Double> peaks = new HashMap<>(of.peakFlops());
    peaks.replaceAll((_, rate) -> rate * arithmetic);
    return new Processor(
        of.memoryBytesPerSecond() * memory,
        of.rowBytesPerSecond() * memory,
        of.packBytesPerSecond() * memory,
        of.launchSeconds(),
        peaks,
        of.products().stream()
            .map(
                each ->
                    new Processor.Product(
                        each.dtype(),
                        each.outputs(),
                        each.inputs(),
                        each.rows(),
                        each.seconds() / arithmetic,
                        each.againSeconds() / arithmetic))
            .toList(),
        of.attentionBytesPerSecond() * memory,
        of.attentionFlops() * arithmetic);
  }

  private HardwareProfile with(
      Processor device, Link link, Processor host, Sharing sharing, Disk disk) {
    return new HardwareProfile(
        machine.name(),
        machine.title(),
        device,
        machine.deviceMemoryBytes(),
        link,
        host,
        machine.hostMemoryBytes(),
        sharing,
        disk,
        machine.assumptions());
  }
}
