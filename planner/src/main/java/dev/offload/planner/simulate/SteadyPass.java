package dev.offload.planner.simulate;

import dev.offload.planner.Granules;
import dev.offload.planner.KvGroup;
import dev.offload.planner.ModelSizes;
import dev.offload.planner.PassShape;
import dev.offload.planner.PassShape.MicroBatch;
import dev.offload.planner.Plan;
import dev.offload.planner.Schedule;
import dev.offload.planner.ScheduleBuilder;
import dev.offload.planner.Workload;
import dev.offload.planner.cost.MachineCosts;
import dev.offload.planner.cost.ModuleCosts;
import dev.offload.planner.cost.RoutingStatistics;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.tensors.DType;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.weights.WeightUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A pass of the steady state of a job: all sequences of the plan in flight, those that end replaced
 * by others whose prompts ride along.
 */
public final class SteadyPass {
  /** After so many passes each finds the ring as the one before left it. */
  private static final int PASSES = 3;

  private SteadyPass() {}

  /**
   * Plays one, with what the engine does before and behind it.
   *
   * @param units of the model, as they are placed
   * @param rows format of the rows that products take
   * @param routing how often experts are chosen; absent: all as often
   */
  public static PlayedPass play(
      Plan plan,
      ModelConfig model,
      List<WeightUnit> units,
      ModelSizes sizes,
      DType rows,
      HardwareProfile machine,
      Workload workload,
      Optional<RoutingStatistics> routing) {
    double layerTokenBytes =
        (double) sizes.kvBlockBytes() / sizes.kvBlockTokens() / model.layers().size();
    ScheduleBuilder schedules =
        new ScheduleBuilder(plan, Granules.of(plan, sizes.units()), model, rows);
    MachineCosts costs =
        new MachineCosts(
            new ModuleCosts(machine, plan.computeDType()), model, units, layerTokenBytes, routing);
    Simulator simulator = new Simulator(Capacities.of(machine), costs);
    PassShape shape = shape(plan, workload, sizes, layerTokenBytes);
    double begin = 0;
    List<PlayedPass.Entry> entries = List.of();
    for (int i = 0; i < PASSES; i++) {
      begin = simulator.now();
      Schedule schedule = schedules.next(shape);
      simulator.between(costs.prepare(schedule));
      entries = simulator.play(schedule, shape).entries();
      simulator.between(costs.choose(shape));
    }
    return new PlayedPass(shape, begin, simulator.now(), entries);
  }

  /** What such a pass has to do if its choices are greedy. */
  static PassShape shape(Plan plan, Workload workload, ModelSizes sizes, double layerTokenBytes) {
    double prompt = workload.meanPromptTokens();
    double generated = workload.meanGeneratedTokens();
    List<MicroBatch> batches = new ArrayList<>();
    int logits = 0;
    for (KvGroup group : plan.kvGroups()) {
      double room = (double) group.blocks() * sizes.kvBlockTokens() / (prompt + generated);
      double sequences = Math.min(group.sequences(), Math.max(1, room));
      double ending =
          Math.min(sequences / generated, plan.microBatchTokens() / (prompt + generated - 1));
      int decoding = (int) Math.round(ending * (generated - 1));
      int prompts = (int) Math.ceil(ending);
      int promptTokens = (int) Math.max(1, Math.round(ending * prompt));
      long context = Math.round(prompt + generated / 2);
      long cached = decoding * context + promptTokens;
      batches.add(
          new MicroBatch(
              decoding + promptTokens,
              promptTokens,
              decoding + prompts,
              decoding,
              decoding * context,
              Math.round(promptTokens * (prompt + 1) / 2),
              Math.round(cached * layerTokenBytes),
              Math.round(
                  ((double) decoding * sizes.kvBlockTokens() + promptTokens) * layerTokenBytes)));
      logits += decoding + prompts;
    }
    return new PassShape(
        batches, 0, Math.min(logits, plan.maxSequences()), PassShape.GREEDY_NUMBERS);
  }
}
