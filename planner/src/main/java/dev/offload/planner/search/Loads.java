package dev.offload.planner.search;

import dev.offload.planner.Lane;
import dev.offload.planner.cost.Cost;
import dev.offload.planner.hardware.HardwareProfile;

/** Seconds of each {@link Row}. Mutable while it is added up. */
final class Loads {
  private final double[] seconds = new double[Row.values().length];

  double of(Row row) {
    return seconds[row.index];
  }

  Loads add(Row row, double more) {
    seconds[row.index] += more;
    return this;
  }

  /** Adds work of a lane, and what it takes of what lanes share. */
  Loads add(Lane lane, Cost cost, HardwareProfile machine) {
    add(Row.of(lane), cost.seconds());
    add(Row.HOST_MEMORY, cost.hostBytes() / machine.sharing().hostMemoryBytesPerSecond());
    add(Row.LINK, cost.linkBytes() / machine.link().bothBytesPerSecond());
    return add(Row.CORES, cost.coreSeconds() / machine.sharing().cores());
  }

  /** Adds so many times another. */
  Loads add(double factor, Loads other) {
    for (int i = 0; i < seconds.length; i++) {
      seconds[i] += factor * other.seconds[i];
    }
    return this;
  }

  /** The row that takes longest. */
  Row longest() {
    Row longest = Row.GPU;
    for (Row row : Row.values()) {
      longest = of(row) > of(longest) ? row : longest;
    }
    return longest;
  }

  /** Seconds of the longest row. */
  double most() {
    return of(longest());
  }
}
