package dev.offload.planner.peers;

/** What a step of a peer's loop spends time on, and which of its lanes that is on. */
public enum Activity {
  MATRIX_PRODUCTS("matrix products", Lane.DEVICE),
  DEVICE_ATTENTION("attention on the device", Lane.DEVICE),
  QUANTISATION("quantisation", Lane.DEVICE),
  HIDDEN_STATES("copies of hidden states", Lane.DEVICE),
  HOST_TO_DEVICE("copies to the device", Lane.HOST_TO_DEVICE),
  PAGEABLE_COPIES("copies out of pageable memory", Lane.HOST_THREAD),
  CPU_ATTENTION("attention on the CPU", Lane.HOST_THREAD),
  STORING_KV("storing KV in host memory", Lane.COPY_THREADS),
  DISK("disk", Lane.DISK);

  /** What works beside each other. */
  enum Lane {
    DEVICE,
    HOST_TO_DEVICE,
    HOST_THREAD,
    COPY_THREADS,
    DISK
  }

  private final String words;
  private final Lane lane;

  Activity(String words, Lane lane) {
    this.words = words;
    this.lane = lane;
  }

  /** For people. */
  public String words() {
    return words;
  }

  Lane lane() {
    return lane;
  }
}
