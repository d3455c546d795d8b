package dev.offload.backends.cpu;

import dev.offload.backends.api.MemoryBudget;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Native memory for tasks, in pieces of one size: at most as many pieces as there were tasks at
 * once, within a budget. Thread-safe.
 */
final class ScratchMemory {
  private static final long ALIGNMENT = 4096;

  private final MemoryBudget budget;
  private final long bytes;
  private final Queue<MemorySegment> idle = new ConcurrentLinkedQueue<>();
  private Arena arena;
  private long claimed;

  /**
   * @param budget that pieces count against until they are dropped
   * @param bytes of a piece
   */
  ScratchMemory(MemoryBudget budget, long bytes) {
    this.budget = budget;
    this.bytes = bytes;
  }

  /**
   * A piece that nobody else has; its contents are anything.
   *
   * @throws dev.offload.backends.api.MemoryBudgetException if there is no room for one more
   */
  MemorySegment acquire() {
    MemorySegment piece = idle.poll();
    return piece == null ? allocate() : piece;
  }

  void release(MemorySegment piece) {
    idle.add(piece);
  }

  private synchronized MemorySegment allocate() {
    budget.claim("scratch of matrix products", bytes);
    claimed += bytes;
    if (arena == null) {
      arena = Arena.ofShared();
    }
    return arena.allocate(bytes, ALIGNMENT);
  }

  /** Frees all pieces; none may be in use. */
  synchronized void drop() {
    idle.clear();
    if (arena != null) {
      arena.close();
      arena = null;
    }
    budget.release(claimed);
    claimed = 0;
  }
}
