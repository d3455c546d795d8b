package dev.offload.backends.api;

import dev.offload.tensors.ByteSize;
import dev.offload.tensors.HostMemory;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;

/** What a device has given out of its own memory and of pinned memory, within both budgets. */
public final class Allocations {
  private static final System.Logger LOGGER = System.getLogger(Allocations.class.getName());

  private final MemoryBudget device;
  private final MemoryBudget pinned;
  private final Set<Allocation> inUse = ConcurrentHashMap.newKeySet();

  public Allocations(MemoryBudget device, MemoryBudget pinned) {
    this.device = device;
    this.pinned = pinned;
  }

  /**
   * Gives out device memory.
   *
   * @param allocate makes the buffer, which runs what it is handed once, when it is closed
   * @throws MemoryBudgetException if the budget has not so many bytes left
   */
  public DeviceBuffer allocate(
      String purpose, long bytes, Function<Runnable, DeviceBuffer> allocate) {
    return allocate(device, purpose, bytes, allocate, DeviceBuffer::close);
  }

  /**
   * Gives out pinned memory.
   *
   * @param allocate makes the buffer, which runs what it is handed once, when it is closed
   * @throws MemoryBudgetException if the budget has not so many bytes left
   */
  public PinnedBuffer allocatePinned(
      String purpose, long bytes, Function<Runnable, PinnedBuffer> allocate) {
    return allocate(pinned, purpose, bytes, allocate, PinnedBuffer::close);
  }

  /**
   * Gives out memory that somebody else has, as {@link Device#tryPin} describes.
   *
   * @param pin makes the buffer, which runs what it is handed once, when it is closed
   * @throws IllegalArgumentException if the memory does not begin at a page
   * @throws MemoryBudgetException if the budget has no room for all its pages
   */
  public PinnedBuffer pin(
      String purpose, MemorySegment memory, Function<Runnable, PinnedBuffer> pin) {
    if (memory.address() % HostMemory.ALIGNMENT != 0) {
      throw new IllegalArgumentException(
          "memory for %s begins at address %d, which is no multiple of %d"
              .formatted(purpose, memory.address(), HostMemory.ALIGNMENT));
    }
    return allocatePinned(purpose, HostMemory.wholePages(memory.byteSize()), pin);
  }

  private <B> B allocate(
      MemoryBudget budget,
      String purpose,
      long bytes,
      Function<Runnable, B> allocate,
      Consumer<B> close) {
    budget.claim(purpose, bytes);
    Allocation allocation = new Allocation(purpose, budget, bytes);
    try {
      B buffer = allocate.apply(() -> release(allocation));
      allocation.close = () -> close.accept(buffer);
      inUse.add(allocation);
      return buffer;
    } catch (RuntimeException | Error e) {
      budget.release(bytes);
      throw e;
    }
  }

  private void release(Allocation allocation) {
    if (inUse.remove(allocation)) {
      allocation.budget.release(allocation.bytes);
    }
  }

  /** Closes the buffers that are still open, and says so: for a device that closes. */
  public void releaseLeaked() {
    for (Allocation each : List.copyOf(inUse)) {
      LOGGER.log(
          Level.WARNING,
          "{0} for {1} were not released before their device",
          ByteSize.format(each.bytes),
          each.purpose);
      each.close.run();
    }
  }

  /** Memory in use; compared by identity. */
  private static final class Allocation {
    private final String purpose;
    private final MemoryBudget budget;
    private final long bytes;
    private Runnable close = () -> {};

    Allocation(String purpose, MemoryBudget budget, long bytes) {
      this.purpose = purpose;
      this.budget = budget;
      this.bytes = bytes;
    }
  }
}
