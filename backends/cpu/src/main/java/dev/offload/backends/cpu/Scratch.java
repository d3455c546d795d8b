package dev.offload.backends.cpu;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Arrays for one task of a product. Owned by one thread at a time. */
final class Scratch {
  final float[] weights;
  final float[] sums;

  private Scratch(int weights, int sums) {
    this.weights = new float[weights];
    this.sums = new float[sums];
  }

  /** Keeps arrays that are not in use, at most as many as there were tasks at once. Thread-safe. */
  static final class Pool {
    private final int weights;
    private final int sums;
    private final Queue<Scratch> idle = new ConcurrentLinkedQueue<>();

    Pool(int weights, int sums) {
      this.weights = weights;
      this.sums = sums;
    }

    Scratch acquire() {
      Scratch scratch = idle.poll();
      return scratch == null ? new Scratch(weights, sums) : scratch;
    }

    void release(Scratch scratch) {
      idle.add(scratch);
    }
  }
}
