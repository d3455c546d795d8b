package dev.offload.planner;

import dev.offload.tensors.ByteSize;
import dev.offload.tensors.Tier;
import dev.offload.tensors.weights.UnitId;
import java.util.HashSet;
import java.util.Set;

/** Whether an engine can open a plan: it is for the model's units and within the budgets. */
public final class PlanFit {
  private PlanFit() {}

  /**
   * Refuses what an engine could not open.
   *
   * @param sizes of the model on this machine, in the plan's compute format
   * @param deviceBytes budget of device memory
   * @param hostBytes budget of host memory
   * @throws IllegalArgumentException if the plan's units are not the model's, if units are larger
   *     than what they pass through, or if the plan takes more than a budget; names the field of a
   *     saved plan
   */
  public static void require(Plan plan, ModelSizes sizes, long deviceBytes, long hostBytes) {
    requireUnits(plan, sizes);
    for (Granule granule : Granules.of(plan, sizes.units())) {
      if (granule.isStreamed()) {
        requireRoom("ring_bytes", plan.ringBytes(), granule);
      }
      if (granule.home() == Tier.DISK) {
        requireRoom("staging_bytes", plan.stagingBytes(), granule);
      }
    }
    PlanBytes bytes = PlanBytes.of(plan, sizes);
    requireBudget("device", bytes.device(), deviceBytes);
    requireBudget("host", bytes.host(), hostBytes);
  }

  private static void requireUnits(Plan plan, ModelSizes sizes) {
    Set<UnitId> units = new HashSet<>();
    for (UnitSize unit : sizes.units()) {
      units.add(unit.id());
      if (unit.imageBytes() > 0 && !plan.placement().containsKey(unit.id())) {
        throw new IllegalArgumentException(
            "placement: leaves out %s; add it to device, host or disk, or make another plan with offload plan --save"
                .formatted(UnitNames.of(Set.of(unit.id())).getFirst()));
      }
    }
    Set<UnitId> others = new HashSet<>(plan.placement().keySet());
    others.removeAll(units);
    others.remove(UnitId.embedding());
    if (!others.isEmpty()) {
      throw new IllegalArgumentException(
          "placement: has %s, which the model has not; leave it out or make another plan with offload plan --save"
              .formatted(String.join(", ", UnitNames.of(others))));
    }
  }

  private static void requireRoom(String field, long bytes, Granule granule) {
    if (granule.storedBytes() > bytes) {
      throw new IllegalArgumentException(
          "%s is %d, but %s passes through it and has %d bytes; make it larger or make another plan with offload plan --save"
              .formatted(
                  field,
                  bytes,
                  String.join(", ", UnitNames.of(Set.copyOf(granule.units()))),
                  granule.storedBytes()));
    }
  }

  private static void requireBudget(String memory, long bytes, long budget) {
    if (bytes > budget) {
      throw new IllegalArgumentException(
          "the plan takes %s of %s memory, the budget is %s; give --%s-memory %s, or make a plan for this budget with offload plan --save"
              .formatted(
                  ByteSize.formatUp(bytes),
                  memory,
                  ByteSize.format(budget),
                  memory,
                  ByteSize.formatUp(bytes).replace(" ", "")));
    }
  }
}
