package dev.offload.backends.cpu;

import dev.offload.backends.api.MemoryBudget;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/** Arrays for one task of a product. Owned by one thread at a time. */
final class Scratch {
  final float[] weights;
  final float[] sums;

  private Scratch(int weights, int sums) {
    this.weights = new float[weights];
    this.sums = new float[sums];
  }

  /**
   * Keeps arrays that are not in use, at most as many as there were tasks at once, within a budget.
   * Thread-safe.
   */
  static final class Pool {
    private final MemoryBudget budget;
    private final int weights;
    private final int sums;
    private final Queue<Scratch> idle = new ConcurrentLinkedQueue<>();
    private final AtomicInteger made = new AtomicInteger();

    /**
     * @param budget that arrays count against until they are dropped
     */
    Pool(MemoryBudget budget, int weights, int sums) {
      this.budget = budget;
      this.weights = weights;
      this.sums = sums;
    }

    /** Bytes of the arrays of one task. */
    long bytes() {
      return ((long) weights + sums) * Float.BYTES;
    }

    /**
     * Arrays that nobody else has; their contents are anything.
     *
     * @throws dev.offload.backends.api.MemoryBudgetException if there is no room for more
     */
    Scratch acquire() {
      Scratch scratch = idle.poll();
      return scratch == null ? make() : scratch;
    }

    private Scratch make() {
      budget.claim("scratch of matrix products", bytes());
      made.incrementAndGet();
      return new Scratch(weights, sums);
    }

    void release(Scratch scratch) {
      idle.add(scratch);
    }

    /** Drops all arrays; none may be in use. */
    void drop() {
      idle.clear();
      budget.release(made.getAndSet(0) * bytes());
    }
  }
}
