package dev.offload.planner.search;

import dev.offload.tensors.Tier;
import dev.offload.tensors.weights.UnitId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which units of a class live where, if it is known how many: those away from the device are spread
 * evenly over the layers so that they arrive evenly, and each layer has as many that the host
 * computes.
 *
 * @param placement home of each unit
 * @param hostExperts those computed on the host
 */
record Spread(Map<UnitId, Tier> placement, Set<UnitId> hostExperts) {

  static Spread of(List<UnitClass> classes, List<Rounding.Counts> counts) {
    Map<UnitId, Tier> placement = new HashMap<>();
    for (int c = 0; c < classes.size(); c++) {
      others(classes.get(c).units(), counts.get(c).onHost(), Tier.HOST, placement);
    }
    Set<UnitId> hostExperts = Set.copyOf(placement.keySet());
    for (int c = 0; c < classes.size(); c++) {
      Rounding.Counts of = counts.get(c);
      List<UnitId> units = new ArrayList<>(classes.get(c).units());
      units.removeAll(hostExperts);
      List<UnitId> away = others(units, of.device(), Tier.DEVICE, placement);
      List<UnitId> streamed = others(away, of.disk(), Tier.DISK, placement);
      streamed.forEach(unit -> placement.put(unit, Tier.HOST));
    }
    return new Spread(placement, hostExperts);
  }

  /** Puts {@code count} of the units, evenly spread, on a tier; returns the others. */
  private static List<UnitId> others(
      List<UnitId> units, int count, Tier tier, Map<UnitId, Tier> placement) {
    List<UnitId> others = new ArrayList<>();
    long size = units.size();
    for (long i = 0; i < size; i++) {
      if ((i + 1) * count / size > i * count / size) {
        placement.put(units.get((int) i), tier);
      } else {
        others.add(units.get((int) i));
      }
    }
    return others;
  }
}
