package dev.offload.planner;

import dev.offload.tensors.Tier;
import dev.offload.tensors.weights.UnitId;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Groups weight units into the granules in which a pass uses them. */
public final class Granules {
  private final Plan plan;
  private final List<Granule> granules = new ArrayList<>();

  private Granules(Plan plan) {
    this.plan = plan;
  }

  /**
   * All granules of a plan, in the order of use.
   *
   * @param units all units of the model with their sizes, in model order: embedding, layers, head
   */
  public static List<Granule> of(Plan plan, List<UnitSize> units) {
    Granules made = new Granules(plan);
    Map<Integer, List<UnitSize>> expertsByLayer = new LinkedHashMap<>();
    for (int i = 0; i < units.size(); i++) {
      UnitSize unit = units.get(i);
      if (unit.id().kind() != UnitId.Kind.EXPERT) {
        if (unit.imageBytes() > 0) {
          made.add(List.of(unit), made.home(unit));
        }
        continue;
      }
      int layer = unit.id().layer();
      expertsByLayer.computeIfAbsent(layer, _ -> new ArrayList<>()).add(unit);
      boolean lastOfLayer =
          i + 1 == units.size()
              || units.get(i + 1).id().kind() != UnitId.Kind.EXPERT
              || units.get(i + 1).id().layer() != layer;
      if (lastOfLayer) {
        made.addExperts(expertsByLayer.remove(layer));
      }
    }
    return List.copyOf(made.granules);
  }

  /** Resident experts come first, so that the others have the longest time to arrive. */
  private void addExperts(List<UnitSize> experts) {
    Map<Tier, List<UnitSize>> byTier = new EnumMap<>(Tier.class);
    for (UnitSize expert : experts) {
      byTier.computeIfAbsent(home(expert), _ -> new ArrayList<>()).add(expert);
    }
    byTier.forEach(
        (tier, sameTier) -> {
          long limit = tier == Tier.DEVICE ? Long.MAX_VALUE : plan.granuleBytes();
          List<UnitSize> group = new ArrayList<>();
          long bytes = 0;
          for (UnitSize expert : sameTier) {
            long size = Math.max(expert.imageBytes(), expert.rowMajorBytes());
            if (!group.isEmpty() && bytes + size > limit) {
              add(group, tier);
              group = new ArrayList<>();
              bytes = 0;
            }
            group.add(expert);
            bytes += size;
          }
          add(group, tier);
        });
  }

  private void add(List<UnitSize> units, Tier home) {
    long image = units.stream().mapToLong(UnitSize::imageBytes).sum();
    long rowMajor = units.stream().mapToLong(UnitSize::rowMajorBytes).sum();
    granules.add(
        new Granule(
            granules.size(),
            units.stream().map(UnitSize::id).toList(),
            home,
            home == Tier.DISK ? rowMajor : image,
            image,
            home == Tier.DISK && units.stream().anyMatch(UnitSize::packed)));
  }

  private Tier home(UnitSize unit) {
    Tier tier = plan.placement().get(unit.id());
    if (tier == null) {
      throw new IllegalArgumentException("the plan places no unit " + unit.id());
    }
    return tier;
  }
}
