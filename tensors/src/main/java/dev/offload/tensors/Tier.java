package dev.offload.tensors;

/** Where a unit lives, from the fastest to the largest. */
public enum Tier {
  /** Memory of the compute device. */
  DEVICE,
  /** Pinned memory of the host. */
  HOST,
  /** Files, read during the pass. */
  DISK
}
