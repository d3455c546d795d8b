package dev.offload.backends.api;

/** Counts bytes against a limit that is never exceeded. Thread-safe. */
public final class MemoryBudget {
  private final String memory;
  private final long limit;
  private long allocated;
  private long peak;

  /**
   * @param memory what it is called in messages
   * @param limit bytes
   */
  public MemoryBudget(String memory, long limit) {
    this.memory = memory;
    this.limit = limit;
  }

  public synchronized void claim(String purpose, long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException(purpose + " cannot have " + bytes + " bytes");
    }
    if (bytes > limit - allocated) {
      throw new MemoryBudgetException(memory, purpose, bytes, allocated, limit);
    }
    allocated += bytes;
    peak = Math.max(peak, allocated);
  }

  public synchronized void release(long bytes) {
    allocated -= bytes;
  }

  public synchronized long allocated() {
    return allocated;
  }

  public synchronized long peak() {
    return peak;
  }
}
