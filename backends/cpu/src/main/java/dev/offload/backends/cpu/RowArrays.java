package dev.offload.backends.cpu;

import dev.offload.backends.api.MemoryBudget;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Arrays in which kernels put rows side by side, one for each product in progress, within a budget.
 * They lie in the Java heap, where loops read them fastest, and count against the budget all the
 * same. Thread-safe.
 */
final class RowArrays {
  private final MemoryBudget budget;
  private final Queue<float[]> idle = new ConcurrentLinkedQueue<>();

  /**
   * @param budget that arrays count against until they are dropped
   */
  RowArrays(MemoryBudget budget) {
    this.budget = budget;
  }

  /**
   * An array that nobody else has, of so many numbers or more; its contents are anything. An idle
   * one that is too small is replaced.
   *
   * @throws dev.offload.backends.api.MemoryBudgetException if there is no room for it
   */
  float[] acquire(int numbers) {
    float[] array = idle.poll();
    if (array != null && array.length >= numbers) {
      return array;
    }
    drop(array);
    budget.claim("rows of matrix products", bytes(numbers));
    return new float[numbers];
  }

  void release(float[] array) {
    idle.add(array);
  }

  /** Drops all arrays; none may be in use. */
  void drop() {
    for (float[] array = idle.poll(); array != null; array = idle.poll()) {
      drop(array);
    }
  }

  private void drop(float[] array) {
    if (array != null) {
      budget.release(bytes(array.length));
    }
  }

  private static long bytes(int numbers) {
    return (long) numbers * Float.BYTES;
  }
}
