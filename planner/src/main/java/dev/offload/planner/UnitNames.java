package dev.offload.planner;

import dev.offload.tensors.weights.UnitId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Names of many weight units, short: neighbouring experts of a layer as one range, such as {@code
 * layer.3.expert.0-127}.
 */
final class UnitNames {
  private static final Pattern RANGE = Pattern.compile("(layer\\.\\d+\\.expert\\.)(\\d+)-(\\d+)");

  /** More experts than any model has in a layer. */
  private static final int MOST_EXPERTS = 1 << 20;

  private UnitNames() {}

  /** The names, in the order of layers. */
  static List<String> of(Collection<UnitId> units) {
    List<UnitId> sorted =
        units.stream()
            .sorted(
                Comparator.comparingInt(UnitId::layer)
                    .thenComparing(UnitId::kind)
                    .thenComparingInt(UnitId::number))
            .toList();
    List<String> names = new ArrayList<>();
    for (int i = 0; i < sorted.size(); ) {
      int end = i + 1;
      while (end < sorted.size() && follows(sorted.get(end), sorted.get(end - 1))) {
        end++;
      }
      String first = sorted.get(i).toString();
      names.add(end == i + 1 ? first : first + "-" + sorted.get(end - 1).number());
      i = end;
    }
    return names;
  }

  private static boolean follows(UnitId next, UnitId previous) {
    return next.kind() == UnitId.Kind.EXPERT
        && previous.kind() == UnitId.Kind.EXPERT
        && next.layer() == previous.layer()
        && next.number() == previous.number() + 1;
  }

  /**
   * The units of such names.
   *
   * @throws IllegalArgumentException if one is no name of a unit
   */
  static List<UnitId> parse(Collection<String> names) {
    List<UnitId> units = new ArrayList<>();
    for (String name : names) {
      Matcher range = RANGE.matcher(name);
      if (range.matches()) {
        UnitId first = UnitId.parse(range.group(1) + range.group(2));
        UnitId last = UnitId.parse(range.group(1) + range.group(3));
        if (last.number() < first.number() || last.number() - first.number() > MOST_EXPERTS) {
          throw new IllegalArgumentException("'" + name + "' is no range of experts");
        }
        for (int number = first.number(); number <= last.number(); number++) {
          units.add(UnitId.expert(first.layer(), number));
        }
      } else {
        units.add(UnitId.parse(name));
      }
    }
    return units;
  }
}
