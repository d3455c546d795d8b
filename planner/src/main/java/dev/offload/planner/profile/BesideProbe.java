package dev.offload.planner.profile;

import dev.offload.backends.api.Stream;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.DoubleSupplier;

/** Copies to a device while it multiplies. Owns nothing but its thread. */
final class BesideProbe {
  /** Products that are enqueued at a time. */
  private static final int PRODUCTS = 8;

  private final WeightRing ring;
  private final int rows;
  private double cachedShare;
  private double cached;

  /**
   * @param rows of products that want all cores
   */
  BesideProbe(WeightRing ring, int rows) {
    this.ring = ring;
    this.rows = rows;
  }

  /**
   * Sets which part of the products finds its weights in caches, as behind copies; at first none.
   */
  void setCachedShare(double share) {
    cachedShare = share;
  }

  /** What {@code copying} says, which copies meanwhile. */
  double measure(DoubleSupplier copying) {
    double[] found = new double[1];
    AtomicBoolean copied = new AtomicBoolean();
    Crew.run(
        "offload-profile-copies",
        List.of(
            () -> {
              try {
                found[0] = copying.getAsDouble();
              } finally {
                copied.set(true);
              }
            },
            () -> {
              Stream stream = ring.stream();
              while (!copied.get()) {
                for (int i = 0; i < PRODUCTS; i++) {
                  enqueue(stream);
                }
                stream.synchronize();
              }
            }));
    return found[0];
  }

  private void enqueue(Stream stream) {
    cached += cachedShare;
    if (cached >= 1) {
      cached--;
      ring.enqueueAgain(stream, rows);
    } else {
      ring.enqueue(stream, rows);
    }
  }

  /**
   * Cores that want to copy: beside products, which want all of them, copies have their part of the
   * cores and as much of their rate.
   */
  static double copyCores(int cores, double aloneSeconds, double besideSeconds) {
    return Math.min(cores, cores / 2.0 * Math.max(1, besideSeconds / aloneSeconds));
  }
}
