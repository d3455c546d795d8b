package dev.offload.planner.search;

import dev.offload.planner.Lane;
import dev.offload.planner.cost.Cost;
import dev.offload.planner.hardware.HardwareProfile;

/** Seconds of each {@link Row}. Mutable while it is added up. */
final class Loads {
  /** The part of a row that a lane has to take to be named in its place. */
  private static final double MOSTLY = 0.9;

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
    if (cost.linkBytes() > 0) {
      add(Row.LINK, lane == Lane.H2D ? cost.seconds() : slowing(machine) * cost.seconds());
    }
    return add(Row.CORES, cost.coreSeconds() / machine.sharing().cores());
  }

  /**
   * Seconds by which a second of copying back lengthens copying to the device: both go at the part
   * of their rates that the link can do together.
   */
  private static double slowing(HardwareProfile machine) {
    double wanted =
        machine.link().toDevice().bytesPerSecond() + machine.link().toHost().bytesPerSecond();
    return Math.max(0, wanted / machine.link().bothBytesPerSecond() - 1);
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

  /** The longest row, or the lane where the others on its link only make it a little longer. */
  Row bottleneck() {
    Row longest = longest();
    return longest == Row.LINK && of(Row.H2D) >= MOSTLY * of(Row.LINK) ? Row.H2D : longest;
  }

  /** Seconds of the longest row. */
  double most() {
    return of(longest());
  }
}
