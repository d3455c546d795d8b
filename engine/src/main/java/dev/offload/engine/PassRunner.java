package dev.offload.engine;

import dev.offload.backends.api.Device;
import dev.offload.engine.execute.Executor;
import dev.offload.engine.kvcache.BlockPool;
import dev.offload.engine.kvcache.KvStore;
import dev.offload.engine.kvcache.SwapArea;
import dev.offload.engine.pass.Pass;
import dev.offload.engine.pass.PassAssembler;
import dev.offload.engine.pass.PassShapes;
import dev.offload.engine.pass.Sequence;
import dev.offload.planner.KvGroup;
import dev.offload.planner.Lane;
import dev.offload.planner.PassTimeline;
import dev.offload.planner.Plan;
import dev.offload.planner.Schedule;
import dev.offload.planner.ScheduleBuilder;
import dev.offload.planner.cost.RoutingStatistics;
import dev.offload.sampling.RowLogits;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** Runs passes over sequences: keeps the cache blocks, computes, hands out logits. */
final class PassRunner implements Passes {
  private final Plan plan;
  private final Device device;
  private final TaskRunner tasks;
  private final Executor executor;
  private final ScheduleBuilder schedules;
  private final PassAssembler assembler;
  private final PassRecorder recorder;
  private final int blockTokens;
  private final PassShapes shapes;
  private final List<BlockPool> pools = new ArrayList<>();
  private final List<SwapArea> swap;
  private final PassTimes times;
  private final BetweenPasses between = new BetweenPasses();

  /** When the pass before had its result; nothing before the first of a run. */
  private OptionalLong lastEnd = OptionalLong.empty();

  PassRunner(
      Plan plan,
      Device device,
      TaskRunner tasks,
      Executor executor,
      ScheduleBuilder schedules,
      PassRecorder recorder,
      KvStore cache,
      List<SwapArea> swap,
      PassTimes times,
      int blockTokens) {
    this.plan = plan;
    this.device = device;
    this.tasks = tasks;
    this.executor = executor;
    this.schedules = schedules;
    this.assembler = new PassAssembler(plan);
    this.recorder = recorder;
    this.blockTokens = blockTokens;
    this.shapes = new PassShapes(blockTokens, cache.blockBytes());
    this.swap = List.copyOf(swap);
    this.times = times;
    for (KvGroup group : plan.kvGroups()) {
      pools.add(new BlockPool(group.blocks()));
    }
  }

  @Override
  public int maxSequenceTokens() {
    int blocks = pools.stream().mapToInt(BlockPool::blocks).max().orElse(0);
    return (int) Math.min(Integer.MAX_VALUE, (long) blocks * blockTokens);
  }

  @Override
  public InFlight newFlight(AdmissionPolicy policy) {
    Admission admission = Admission.of(policy, blockTokens);
    CacheKeeper keeper =
        swap.isEmpty() ? CacheKeeper.NONE : new SwappingKeeper(swap, times, blockTokens);
    return new InFlight(plan.kvGroups(), pools, blockTokens, admission, keeper);
  }

  @Override
  public Pass run(List<Sequence> running) {
    long begin = System.nanoTime();
    Pass pass = assembler.next(running);
    tasks.prepare(pass);
    Schedule schedule = schedules.next(shapes.of(pass));
    recorder.begins(pass, schedule);
    long waitedBefore = executor.waitedNanos();
    executor.run(schedule);
    recorder.ended();
    pass.advance();
    long end = System.nanoTime();
    times.add(pass.tokens(), end - begin);
    between.add(end - lastEnd.orElse(begin) - (executor.waitedNanos() - waitedBefore));
    lastEnd = OptionalLong.of(end);
    return pass;
  }

  @Override
  public RowLogits logits(int row) {
    return tasks.logits(row);
  }

  @Override
  public int blocksInUse() {
    return pools.stream().mapToInt(pool -> pool.blocks() - pool.freeBlocks()).sum();
  }

  @Override
  public Map<Lane, Long> busyNanos() {
    return executor.busyNanos();
  }

  /** What {@link #timeline} tells of begins anew. */
  @Override
  public void newRun() {
    lastEnd = OptionalLong.empty();
    recorder.newRun();
  }

  /** From now on somebody hears of all passes. */
  void tell(PassListener listener) {
    recorder.tell(listener);
  }

  /** A typical pass of the run, task by task. */
  Optional<PassTimeline> timeline() {
    return recorder.timeline();
  }

  /** How often experts were chosen in all passes so far. */
  Optional<RoutingStatistics> routing() {
    return tasks.routing();
  }

  /** What runs so far have shown. */
  RunsBefore runsBefore() {
    return new RunsBefore(routing(), between.seconds());
  }

  @Override
  public long bytesRead() {
    return tasks.bytesRead();
  }

  @Override
  public long bytesStreamed() {
    return tasks.bytesStreamed();
  }

  @Override
  public void chosen() {
    // It took what it took.
  }

  @Override
  public long nanoTime() {
    return System.nanoTime();
  }

  @Override
  public long peakDeviceBytes() {
    return device.peakBytes();
  }

  @Override
  public long peakHostBytes() {
    return device.peakPinnedBytes();
  }
}
