package dev.offload.planner;

import dev.offload.tensors.Tier;
import dev.offload.tensors.weights.UnitId;
import java.util.List;

/**
 * Memory that an engine takes for a plan, at most: weights, cache, rings, staging and workspaces,
 * or what is needed while the weights are loaded, if that is more.
 *
 * @param device bytes of device memory
 * @param host bytes of pinned host memory
 */
public record PlanBytes(long device, long host) {
  /** Cache runs of a layer begin with a cache line. */
  private static final long ALIGNMENT = 64;

  /** More than any machine has; a plan from a file may ask for anything. */
  private static final long MOST = 1L << 58;

  /**
   * Adds up.
   *
   * @throws IllegalArgumentException if the plan leaves out a unit of the model
   */
  public static PlanBytes of(Plan plan, ModelSizes sizes) {
    List<Granule> granules = Granules.of(plan, sizes.units());
    long resident = weights(granules, Tier.DEVICE);
    long expanded =
        granules.stream()
            .filter(Granule::isExpanded)
            .mapToLong(Granule::imageBytes)
            .max()
            .orElse(0);
    int layers = 1 + sizes.units().stream().mapToInt(unit -> unit.id().layer()).max().orElse(0);
    long deviceCache = 0;
    long hostCache = 0;
    long slot = 0;
    for (KvGroup group : plan.kvGroups()) {
      long bytes = times(group.blocks(), sizes.kvBlockBytes());
      switch (group.home()) {
        case DEVICE -> deviceCache = Math.min(MOST, deviceCache + bytes);
        case HOST_ATTENDED -> hostCache = Math.min(MOST, hostCache + bytes);
        case HOST_STREAMED -> {
          hostCache = Math.min(MOST, hostCache + bytes);
          slot = Math.max(slot, bytes / layers + ALIGNMENT);
        }
      }
    }
    long running =
        resident
            + plan.ringBytes()
            + expanded
            + deviceCache
            + times(plan.kvRingSlots(), slot)
            + sizes.deviceBytes(plan);
    boolean tables = plan.placement().get(UnitId.embedding()) != Tier.DISK;
    long passing = plan.diskSwapBlocks() > 0 ? 1 : 0;
    long host =
        weights(granules, Tier.HOST)
            + hostCache
            + plan.stagingBytes()
            + times(plan.swapBlocks() + passing, sizes.kvBlockBytes())
            + (tables ? sizes.tableBytes() : 0)
            + sizes.hostBytes(plan);
    return new PlanBytes(Math.max(running, resident + sizes.loadingBytes()), host);
  }

  private static long times(long count, long bytes) {
    long product = count * bytes;
    return Math.multiplyHigh(count, bytes) != 0 || product < 0 ? MOST : Math.min(MOST, product);
  }

  private static long weights(List<Granule> granules, Tier tier) {
    return granules.stream()
        .filter(granule -> granule.home() == tier)
        .mapToLong(Granule::imageBytes)
        .sum();
  }
}
