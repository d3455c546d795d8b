package dev.offload.backends.cpu;

import dev.offload.backends.api.MemoryBudget;

/** Memory for tests that are not about memory. */
final class Plenty {
  private Plenty() {}

  static MemoryBudget budget() {
    return new MemoryBudget("test", Long.MAX_VALUE);
  }
}
