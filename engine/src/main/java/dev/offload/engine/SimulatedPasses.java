package dev.offload.engine;

import dev.offload.engine.kvcache.BlockPool;
import dev.offload.engine.pass.Pass;
import dev.offload.engine.pass.PassAssembler;
import dev.offload.engine.pass.PassShapes;
import dev.offload.engine.pass.Sequence;
import dev.offload.planner.KvGroup;
import dev.offload.planner.Lane;
import dev.offload.planner.PassShape;
import dev.offload.planner.Plan;
import dev.offload.planner.Schedule;
import dev.offload.planner.ScheduleBuilder;
import dev.offload.planner.Task;
import dev.offload.planner.Work;
import dev.offload.planner.cost.MachineCosts;
import dev.offload.planner.simulate.PlayedPass;
import dev.offload.planner.simulate.Simulator;
import dev.offload.sampling.RowLogits;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/** Passes that a simulator plays; nothing is computed. Preempted sequences are computed anew. */
final class SimulatedPasses implements Passes {
  private final Plan plan;
  private final ScheduleBuilder schedules;
  private final Simulator simulator;
  private final MachineCosts costs;
  private final OptionalDouble betweenSeconds;
  private final PassAssembler assembler;
  private final PassShapes shapes;
  private final int blockTokens;
  private final List<BlockPool> pools;
  private final List<PlayedPass> played = new ArrayList<>();
  private long bytesRead;
  private long bytesStreamed;

  SimulatedPasses(
      Plan plan,
      ScheduleBuilder schedules,
      Simulator simulator,
      MachineCosts costs,
      OptionalDouble betweenSeconds,
      int blockTokens,
      long blockBytes) {
    this.plan = plan;
    this.schedules = schedules;
    this.simulator = simulator;
    this.costs = costs;
    this.betweenSeconds = betweenSeconds;
    this.assembler = new PassAssembler(plan);
    this.shapes = new PassShapes(blockTokens, blockBytes);
    this.blockTokens = blockTokens;
    this.pools = plan.kvGroups().stream().map(group -> new BlockPool(group.blocks())).toList();
  }

  @Override
  public int maxSequenceTokens() {
    int blocks = plan.kvGroups().stream().mapToInt(KvGroup::blocks).max().orElse(0);
    return (int) Math.min(Integer.MAX_VALUE, (long) blocks * blockTokens);
  }

  @Override
  public InFlight newFlight(AdmissionPolicy policy) {
    return new InFlight(
        plan.kvGroups(), pools, blockTokens, Admission.of(policy, blockTokens), CacheKeeper.NONE);
  }

  @Override
  public void newRun() {
    played.clear();
  }

  @Override
  public Pass run(List<Sequence> running) {
    Pass pass = assembler.next(running);
    PassShape shape = shapes.of(pass);
    Schedule schedule = schedules.next(shape);
    simulator.between(
        betweenSeconds.isPresent()
            ? costs.between(betweenSeconds.getAsDouble())
            : costs.prepare(schedule));
    countBytes(schedule);
    played.add(simulator.play(schedule, shape));
    pass.advance();
    return pass;
  }

  private void countBytes(Schedule schedule) {
    for (Task task : schedule.tasks()) {
      bytesRead += task.work() instanceof Work.ReadWeights ? task.bytes() : 0;
      bytesStreamed += task.work() instanceof Work.CopyWeights ? task.bytes() : 0;
    }
  }

  @Override
  public void chosen() {
    if (betweenSeconds.isEmpty()) {
      simulator.between(costs.choose(played.getLast().shape()));
    }
  }

  /** The passes of the run, in order. */
  List<PlayedPass> played() {
    return List.copyOf(played);
  }

  @Override
  public RowLogits logits(int row) {
    return new RowLogits.All(MemorySegment.NULL);
  }

  @Override
  public int blocksInUse() {
    return pools.stream().mapToInt(pool -> pool.blocks() - pool.freeBlocks()).sum();
  }

  @Override
  public Map<Lane, Long> busyNanos() {
    Map<Lane, Long> nanos = new EnumMap<>(Lane.class);
    simulator.busySeconds().forEach((lane, seconds) -> nanos.put(lane, nanos(seconds)));
    return nanos;
  }

  @Override
  public long bytesRead() {
    return bytesRead;
  }

  @Override
  public long bytesStreamed() {
    return bytesStreamed;
  }

  @Override
  public long nanoTime() {
    return nanos(simulator.now());
  }

  private static long nanos(double seconds) {
    return Math.round(seconds * 1e9);
  }

  @Override
  public long peakDeviceBytes() {
    return 0;
  }

  @Override
  public long peakHostBytes() {
    return 0;
  }
}
