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
    add(Row.COPIES_BESIDE_HOST, lane == Lane.H2D ? cost.seconds() : slowing(lane, cost, machine));
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

  /**
   * Seconds by which work of the host lengthens copying to a device with memory of its own: where
   * both want more of the host's memory than there is, both go at the part of their rates that it
   * can do together.
   */
  static double slowing(Lane lane, Cost cost, HardwareProfile machine) {
    if (lane != Lane.CPU || machine.sharing().deviceIsHost()) {
      return 0;
    }
    double memory = machine.sharing().hostMemoryBytesPerSecond();
    double copies = machine.link().toDevice().bytesPerSecond() / memory;
    return Math.max(0, cost.hostBytes() / memory + (copies - 1) * cost.seconds());
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

  /** The longest row, or the lane where what it shares only makes it a little longer. */
  Row bottleneck() {
    Row longest = longest();
    boolean copies = longest == Row.LINK || longest == Row.COPIES_BESIDE_HOST;
    return copies && of(Row.H2D) >= MOSTLY * of(longest) ? Row.H2D : longest;
  }

  /** Seconds of the longest row. */
  double most() {
    return of(longest());
  }
}
