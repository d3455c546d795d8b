package dev.offload.tensors.weights;

import dev.offload.tensors.HostMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Native buffers for reading, aligned to blocks of the disk, used again once given back. Large ones
 * ask for huge pages: a disk is told where every page of a buffer lies, and has its own limit of
 * how many such places a request may name. Owns their memory. Thread-safe.
 */
final class ReadBuffers implements AutoCloseable {
  /** What reads past the page cache must be aligned to, on every disk in use. */
  static final long BLOCK = 4096;

  private final HostMemory memory = HostMemory.open();
  private final Arena arena = Arena.ofShared();
  private final long bytes;
  private final ConcurrentLinkedQueue<MemorySegment> free = new ConcurrentLinkedQueue<>();

  /** Buffers that hold this many bytes wherever in a block those begin. */
  ReadBuffers(long bytes) {
    this.bytes = bytes;
  }

  static long roundUp(long value) {
    return (value + BLOCK - 1) / BLOCK * BLOCK;
  }

  /** A buffer for at least so many bytes; an oversized one lives only as long as its lease. */
  Lease lease(long atLeast) {
    if (atLeast > bytes) {
      Arena own = Arena.ofShared();
      return new Lease(allocate(atLeast, own), own::close);
    }
    MemorySegment found = free.poll();
    MemorySegment buffer = found == null ? allocate(bytes, arena) : found;
    return new Lease(buffer, () -> free.add(buffer));
  }

  private MemorySegment allocate(long atLeast, Arena owner) {
    return memory.allocate(roundUp(atLeast) + BLOCK, owner);
  }

  @Override
  public void close() {
    arena.close();
  }

  /**
   * A buffer in use.
   *
   * @param buffer one block more than asked for
   * @param giveBack what to do with it afterwards
   */
  record Lease(MemorySegment buffer, Runnable giveBack) implements AutoCloseable {
    @Override
    public void close() {
      giveBack.run();
    }
  }
}
