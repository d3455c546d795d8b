package dev.offload.backends.api;

/**
 * A device that is there, as it describes itself before it is opened.
 *
 * @param index of the device in its backend, as in {@link DeviceOptions}
 * @param name as the vendor or the operating system names it
 * @param memoryBytes all memory it has or, where that is the host's, may use of it
 * @param computeUnits cores or multiprocessors
 * @param details one line for people: driver, version
 */
public record DeviceDescription(
    int index, String name, Kind kind, long memoryBytes, int computeUnits, String details) {

  /** What computes, and in whose memory. */
  public enum Kind {
    /** A GPU with memory of its own. */
    GPU,
    /** A GPU that computes in the memory of the host. */
    INTEGRATED_GPU,
    /** The processor of the host. */
    PROCESSOR,
    /** Anything else, such as an FPGA. */
    OTHER
  }
}
