package dev.offload.backends.api;

import dev.offload.tensors.HostMemory;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * An opened device: its facts, its memory, its streams. Thread-safe. Closing it releases what is
 * left; streams and buffers must not be used afterwards.
 */
public interface Device extends AutoCloseable {

  DeviceFacts facts();

  /**
   * Allocates device memory, aligned to 4096 bytes, contents undefined. The caller closes it.
   *
   * @param purpose named in the error message
   * @throws MemoryBudgetException if the budget would be exceeded
   */
  DeviceBuffer allocate(String purpose, long bytes);

  /**
   * Allocates host memory that copies to and from the device at full speed, aligned to 4096 bytes,
   * zeroed. The caller closes it.
   *
   * @throws MemoryBudgetException if the budget would be exceeded
   */
  PinnedBuffer allocatePinned(String purpose, long bytes);

  /**
   * Memory that the caller has, such as a file mapped read-only, as memory that copies to the
   * device at full speed. Its pages stay in memory until the buffer is closed; nothing may be
   * copied or written to it. It must live longer than the buffer and begin at a boundary of {@link
   * HostMemory#ALIGNMENT} bytes. The pages that it touches count against the budget of pinned
   * memory, the last one whole. The caller closes the buffer, which gives up none of the memory.
   *
   * @param purpose named in messages
   * @return the memory as a buffer; empty if the device or the operating system cannot do that with
   *     this memory, so that it has to be copied to memory of {@link #allocatePinned}
   * @throws IllegalArgumentException if it begins elsewhere
   * @throws MemoryBudgetException if the budget would be exceeded
   */
  default Optional<PinnedBuffer> tryPin(String purpose, MemorySegment memory) {
    return Optional.empty();
  }

  /**
   * Device memory that is the given host memory, without a copy; only where {@link
   * DeviceFacts#sharesHostMemory()}. It does not count against the device's budget and lives no
   * longer than the pinned buffer.
   *
   * @throws IllegalStateException if the device has memory of its own
   */
  DeviceBuffer wrap(PinnedBuffer buffer);

  /** A new ordered queue of work. The caller closes it. */
  Stream newStream(String name);

  /** Device bytes allocated now. */
  long allocatedBytes();

  /** Largest value of {@link #allocatedBytes()} so far. */
  long peakBytes();

  /** Pinned bytes allocated now. */
  long allocatedPinnedBytes();

  /** Largest value of {@link #allocatedPinnedBytes()} so far. */
  long peakPinnedBytes();

  Operations operations();

  @Override
  void close();
}
