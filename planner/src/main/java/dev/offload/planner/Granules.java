package dev.offload.planner;

import dev.offload.tensors.Tier;
import dev.offload.tensors.weights.UnitId;
import java.util.ArrayList;
import java.util.EnumMap;
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
   * @param units all units of the model with their sizes, in model order: embedding, layers, head,
   *     output
   */
  public static List<Granule> of(Plan plan, List<UnitSize> units) {
    Granules made = new Granules(plan);
    for (int i = 0; i < units.size(); ) {
      int end = i + 1;
      while (end < units.size() && areAlike(units.get(i).id(), units.get(end).id())) {
        end++;
      }
      made.addAlike(units.subList(i, end));
      i = end;
    }
    return List.copyOf(made.granules);
  }

  /** Whether two units may travel together and may be used in any order. */
  private static boolean areAlike(UnitId first, UnitId second) {
    return switch (first.kind()) {
      case EXPERT, OUTPUT -> first.kind() == second.kind() && first.layer() == second.layer();
      case EMBEDDING, ATTENTION, MLP, ROUTER, SHARED_EXPERT, HEAD -> false;
    };
  }

  /**
   * What the host computes comes first, so that it has the longest time for it; resident units
   * next, so that the others have the longest time to arrive. Those read from disk come between
   * those of the host, evenly, so that the disk reads on while others are copied.
   */
  private void addAlike(List<UnitSize> units) {
    List<UnitSize> onHost =
        units.stream().filter(unit -> plan.hostExperts().contains(unit.id())).toList();
    if (!onHost.isEmpty()) {
      addComputedOnHost(onHost);
    }
    Map<Tier, List<UnitSize>> byTier = new EnumMap<>(Tier.class);
    for (UnitSize unit : units) {
      if (unit.imageBytes() > 0 && !plan.hostExperts().contains(unit.id())) {
        byTier.computeIfAbsent(home(unit), _ -> new ArrayList<>()).add(unit);
      }
    }
    List<UnitSize> resident = byTier.getOrDefault(Tier.DEVICE, List.of());
    if (!resident.isEmpty()) {
      add(resident, Tier.DEVICE);
    }
    List<List<UnitSize>> copied = grouped(byTier.getOrDefault(Tier.HOST, List.of()));
    List<List<UnitSize>> read = grouped(byTier.getOrDefault(Tier.DISK, List.of()));
    long all = (long) copied.size() + read.size();
    for (long i = 0; i < all; i++) {
      int before = (int) (i * read.size() / all);
      boolean isRead = (i + 1) * read.size() / all > before;
      add(isRead ? read.get(before) : copied.get((int) i - before), isRead ? Tier.DISK : Tier.HOST);
    }
  }

  /** Neighbours that travel together. */
  private List<List<UnitSize>> grouped(List<UnitSize> units) {
    List<List<UnitSize>> groups = new ArrayList<>();
    long bytes = 0;
    for (UnitSize unit : units) {
      long size = Math.max(unit.imageBytes(), unit.rowMajorBytes());
      if (groups.isEmpty() || bytes + size > plan.granuleBytes()) {
        groups.add(new ArrayList<>());
        bytes = 0;
      }
      groups.getLast().add(unit);
      bytes += size;
    }
    return groups;
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
            home == Tier.DISK && units.stream().anyMatch(UnitSize::packed),
            false));
  }

  private void addComputedOnHost(List<UnitSize> units) {
    granules.add(
        new Granule(
            granules.size(),
            units.stream().map(UnitSize::id).toList(),
            Tier.HOST,
            0,
            units.stream().mapToLong(UnitSize::hostImageBytes).sum(),
            false,
            true));
  }

  private Tier home(UnitSize unit) {
    Tier tier = plan.placement().get(unit.id());
    if (tier == null) {
      throw new IllegalArgumentException("the plan places no unit " + unit.id());
    }
    return tier;
  }
}
