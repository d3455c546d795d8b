package dev.offload.backends.api;

import dev.offload.tensors.ByteSize;

/** An allocation that would exceed a memory budget. */
public final class MemoryBudgetException extends IllegalStateException {
  private static final long serialVersionUID = 1;

  /**
   * @param memory which budget: {@code device} or {@code host}
   * @param purpose what the memory was for
   * @param requested bytes asked for
   * @param allocated bytes allocated already
   * @param budget bytes allowed
   */
  public MemoryBudgetException(
      String memory, String purpose, long requested, long allocated, long budget) {
    super(
        "%s needs %s of %s memory, but %s of the budget of %s are in use"
            .formatted(
                purpose,
                ByteSize.format(requested),
                memory,
                ByteSize.format(allocated),
                ByteSize.format(budget)));
  }
}
