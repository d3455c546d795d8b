package dev.offload.backends.cpu;

import dev.offload.backends.api.MemoryBudgetException;

/** Counts bytes against a limit that is never exceeded. Thread-safe. */
final class MemoryBudget {
  private final String memory;
  private final long limit;
  private long allocated;
  private long peak;

  /**
   * @param memory what it is called in messages
   * @param limit bytes
   */
  MemoryBudget(String memory, long limit) {
    this.memory = memory;
    this.limit = limit;
  }

  synchronized void claim(String purpose, long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException(purpose + " cannot have " + bytes + " bytes");
    }
    if (bytes > limit - allocated) {
      throw new MemoryBudgetException(memory, purpose, bytes, allocated, limit);
    }
    allocated += bytes;
    peak = Math.max(peak, allocated);
  }

  synchronized void release(long bytes) {
    allocated -= bytes;
  }

  synchronized long allocated() {
    return allocated;
  }

  synchronized long peak() {
    return peak;
  }
}
