package dev.offload.planner.search;

import dev.offload.planner.Workload;
import dev.offload.planner.Workload.Lengths;
import dev.offload.planner.cost.ModuleCosts;
import dev.offload.planner.hardware.HardwareProfile;

/**
 * A model in one compute format on a machine, with what follows from both.
 *
 * @param model sizes and shapes
 * @param machine what it runs on
 * @param costs of its modules there
 * @param workload what is computed
 * @param wishes budgets and what is not left to the planner
 * @param memory plans and the room they leave
 */
record Format(
    PlannedModel model,
    HardwareProfile machine,
    ModuleCosts costs,
    Workload workload,
    Wishes wishes,
    MemoryMap memory) {

  static Format of(PlannedModel model, HardwareProfile machine, Workload workload, Wishes wishes) {
    return new Format(
        model,
        machine,
        new ModuleCosts(machine, model.sizes().computeDType()),
        workload,
        wishes,
        new MemoryMap(model, wishes));
  }

  /**
   * Cache blocks of a sequence at its end, on average over those in flight: longer outputs are in
   * flight for longer.
   */
  double blocksPerSequence() {
    double sum = 0;
    double passes = 0;
    for (Lengths each : workload.lengths()) {
      double inFlight = (double) each.generatedTokens() * each.count();
      sum += inFlight * memory.blocks((long) each.promptTokens() + each.generatedTokens());
      passes += inFlight;
    }
    return sum / passes;
  }

  /** Blocks of each KV group for so many sequences, and for the longest row at least. */
  long groupBlocks(int sequences, int groups) {
    long shared = (long) Math.ceil(sequences * blocksPerSequence() / groups);
    return Math.max(memory.blocks(wishes.rowTokens()), Math.max(1, shared));
  }

  PassLoads loads(Design design, PassFlow flow) {
    return new PassLoads(model, costs, machine, design, flow);
  }

  PassFlow flow(Design design) {
    return PassFlow.of(workload, design.sequences(), design.passTokens());
  }
}
