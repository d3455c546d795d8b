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

  /**
   * Blocks of each KV group for the sequences of a design, for the longest row at least, and for a
   * row longer than expected as far as memory is reserved for it. Where all weights are resident
   * the cache takes what is left anyway.
   */
  long groupBlocks(Design design) {
    double shared = Math.ceil(design.sequences() * blocksPerSequence() / design.groups());
    long least = Math.max(memory.blocks(wishes.rowTokens()), Math.max(1, (long) shared));
    long wanted = longRowBlocks(design);
    return design.streams() && wanted > least
        ? Math.max(least, Math.min(wanted, memory.blocksForLongRow(design)))
        : least;
  }

  /** Blocks of a row as long as the context, or fewer where all rows together have fewer. */
  long longRowBlocks(Design design) {
    long rows = wishes.sequences().orElse(design.mostSequences());
    return Math.min(
        memory.blocks(model.sizes().contextLength()), rows * memory.blocks(wishes.cacheTokens()));
  }

  /** Blocks that are of use with so many in flight. */
  double usefulBlocks(int sequences) {
    return sequences * Math.max(blocksPerSequence(), (double) memory.blocks(wishes.cacheTokens()));
  }

  /** Whether it is known how fast the disk is. */
  boolean knowsDisk() {
    return machine.assumptions().stream()
        .noneMatch(each -> each.field().equals("disk.read_bytes_per_s"));
  }

  /** The same for rows that are no longer than expected. */
  Format withoutLongRows() {
    return of(model, machine, workload, wishes.withoutLongRows());
  }

  PassLoads loads(Design design, PassFlow flow) {
    return new PassLoads(model, costs, machine, design, flow);
  }

  PassFlow flow(Design design) {
    return PassFlow.of(workload, design.sequences(), design.passTokens());
  }
}
