package dev.offload.planner.simulate;

import dev.offload.planner.hardware.HardwareProfile;

/**
 * What all lanes draw on together. All decimal, all positive.
 *
 * @param hostBytesPerSecond reads and writes of host memory
 * @param linkBytesPerSecond copies between host and device, both ways together
 * @param cores cores of the host
 * @param loneReadShare what one reader gets of the disk's rate while no other reads, at most 1
 * @param busyReadShare what readers get of the disk's rate beside work that wants all cores, at
 *     most 1
 */
public record Capacities(
    double hostBytesPerSecond,
    double linkBytesPerSecond,
    double cores,
    double loneReadShare,
    double busyReadShare) {
  public Capacities {
    if (!(loneReadShare > 0 && loneReadShare <= 1)) {
      throw new IllegalArgumentException(
          "one reader has %s of the disk's rate, must be above 0 and at most 1"
              .formatted(loneReadShare));
    }
    if (!(busyReadShare > 0 && busyReadShare <= 1)) {
      throw new IllegalArgumentException(
          "readers have %s of the disk's rate while cores work, must be above 0 and at most 1"
              .formatted(busyReadShare));
    }
    if (!(hostBytesPerSecond > 0) || !(linkBytesPerSecond > 0) || !(cores > 0)) {
      throw new IllegalArgumentException(
          "lanes share %s bytes/s of host memory, %s bytes/s of link and %s cores, all must be above 0"
              .formatted(hostBytesPerSecond, linkBytesPerSecond, cores));
    }
  }

  /** Those of a machine. */
  public static Capacities of(HardwareProfile machine) {
    return new Capacities(
        machine.sharing().hostMemoryBytesPerSecond(),
        machine.link().bothBytesPerSecond(),
        machine.sharing().cores(),
        machine.disk().loneReadBytesPerSecond() / machine.disk().readBytesPerSecond(),
        machine.disk().busyReadBytesPerSecond() / machine.disk().readBytesPerSecond());
  }
}
