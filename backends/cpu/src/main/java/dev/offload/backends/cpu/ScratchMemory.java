package dev.offload.backends.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Native memory for tasks, in pieces of one size: at most as many pieces as there were tasks at
 * once. Thread-safe.
 */
final class ScratchMemory implements AutoCloseable {
  private static final long ALIGNMENT = 4096;

  private final long bytes;
  private final Arena arena = Arena.ofShared();
  private final Queue<MemorySegment> idle = new ConcurrentLinkedQueue<>();

  /**
   * @param bytes of a piece
   */
  ScratchMemory(long bytes) {
    this.bytes = bytes;
  }

  /** A piece that nobody else has; its contents are anything. */
  MemorySegment acquire() {
    MemorySegment piece = idle.poll();
    return piece == null ? allocate() : piece;
  }

  void release(MemorySegment piece) {
    idle.add(piece);
  }

  private synchronized MemorySegment allocate() {
    return arena.allocate(bytes, ALIGNMENT);
  }

  /** Frees all pieces; none may be in use. */
  @Override
  public void close() {
    arena.close();
  }
}
