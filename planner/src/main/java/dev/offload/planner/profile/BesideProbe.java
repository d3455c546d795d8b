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

  /**
   * @param rows of products that want all cores
   */
  BesideProbe(WeightRing ring, int rows) {
    this.ring = ring;
    this.rows = rows;
  }

  /** A product, until it is done. */
  void multiply() {
    ring.enqueue(ring.stream(), rows);
    ring.stream().synchronize();
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
                  ring.enqueue(stream, rows);
                }
                stream.synchronize();
              }
            }));
    return found[0];
  }

  /**
   * Cores that want to copy: beside products, which want all of them, copies have their part of the
   * cores and as much of their rate.
   *
   * @param slowDown how many times as long copies take there
   */
  static double copyCores(int cores, double slowDown) {
    return Math.min(cores, cores / 2.0 * Math.max(1, slowDown));
  }
}
