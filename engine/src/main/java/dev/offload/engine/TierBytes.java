package dev.offload.engine;

import dev.offload.planner.KvGroup;
import dev.offload.planner.Plan;
import dev.offload.planner.UnitSize;
import dev.offload.tensors.Tier;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * How much of a model lives where: homes, without what passes through.
 *
 * @param weights bytes of weights on each tier; on disk as many as are read from there per pass if
 *     all are needed
 * @param cache bytes of the KV cache on each tier
 */
public record TierBytes(Map<Tier, Long> weights, Map<Tier, Long> cache) {
  public TierBytes {
    weights = Map.copyOf(weights);
    cache = Map.copyOf(cache);
  }

  /**
   * Adds up.
   *
   * @param blockBytes of one cache block in all layers
   */
  static TierBytes of(Plan plan, List<UnitSize> units, long blockBytes) {
    Map<Tier, Long> weights = new EnumMap<>(Tier.class);
    for (UnitSize unit : units) {
      Tier home = plan.placement().get(unit.id());
      long bytes =
          plan.hostExperts().contains(unit.id())
              ? unit.hostImageBytes()
              : home == Tier.DISK ? unit.rowMajorBytes() : unit.imageBytes();
      weights.merge(home, bytes, Long::sum);
    }
    Map<Tier, Long> cache = new EnumMap<>(Tier.class);
    for (KvGroup group : plan.kvGroups()) {
      Tier home = group.home() == KvGroup.Home.DEVICE ? Tier.DEVICE : Tier.HOST;
      cache.merge(home, group.blocks() * blockBytes, Long::sum);
    }
    return new TierBytes(weights, cache);
  }
}
