package dev.offload.planner.hardware;

/**
 * What can be known of a machine whose device is its processor without measuring.
 *
 * @param name short name, such as that of the host
 * @param processor as its vendor names it
 * @param cores that compute
 * @param memoryBytes memory of the host
 * @param diskFreeBytes room for files
 */
public record MachineFacts(
    String name, String processor, int cores, long memoryBytes, long diskFreeBytes) {
  public MachineFacts {
    HardwareProfile.positive("number of cores", cores);
    HardwareProfile.positive("memory", (double) memoryBytes);
    HardwareProfile.notNegative("room on the disk", (double) diskFreeBytes);
  }
}
