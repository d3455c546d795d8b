package dev.offload.planner;

/** A resource that works in parallel with the others. */
public enum Lane {
  /** Reads from files into host memory. */
  DISK,
  /** Copies from host to device. */
  H2D,
  /** Copies from device to host. */
  D2H,
  /** Computes on the device. */
  GPU,
  /** Computes on the host. */
  CPU
}
