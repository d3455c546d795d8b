package dev.offload.planner.profile;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.planner.profile.Shapes.MatrixSize;
import dev.offload.tensors.DType;

/**
 * Products with weights that were just copied to the device, of which caches may still have
 * something. Owns its buffers. Not thread-safe.
 */
final class KeptProbe implements AutoCloseable {
  private static final int INPUTS = 1024;

  /** Caches that spare less of a product than this share spare nothing that can be measured. */
  private static final double LEAST_SPARED = 0.1;

  private final WeightRing ring;
  private final Workbench bench;
  private final PinnedBuffer host;
  private final int rows;
  private long next;

  /**
   * @param copied bytes of weights that are copied at a time
   * @param rows that are multiplied
   * @param bytes gone through, so that no cache holds it
   */
  KeptProbe(Device device, DType dtype, long copied, int rows, long bytes) {
    this.rows = rows;
    int outputs = Math.toIntExact(Math.max(1, copied / INPUTS / dtype.bytes()));
    ring = new WeightRing(device, dtype, new MatrixSize(outputs, INPUTS), rows, bytes);
    bench = new Workbench(device);
    try {
      host = bench.allocatePinned(Math.max(bytes, ring.imageBytes()));
      host.segment().fill((byte) 1); // what was never written is read from a single page
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  Stream stream() {
    return ring.stream();
  }

  /** Enqueues a product with weights that no cache has. */
  void cold() {
    ring.enqueue(ring.stream(), rows);
  }

  /** Enqueues a product with the same weights again. */
  void again() {
    ring.enqueueAgain(ring.stream(), rows);
  }

  /** Enqueues a copy of weights. */
  void copy() {
    long bytes = ring.imageBytes();
    long offset = next + bytes > host.segment().byteSize() ? 0 : next;
    next = offset + bytes;
    ring.enqueueCopy(ring.stream(), host, offset);
  }

  /** Enqueues a copy of weights and a product with them. */
  void multipliedCopy() {
    copy();
    again();
  }

  /**
   * How much of what was copied caches still have, by what each of the four takes: as much as
   * products behind copies take less than others, of what caches spare those with the same weights
   * again.
   */
  static double kept(double cold, double again, double copy, double multipliedCopy) {
    return cold - again > LEAST_SPARED * cold
        ? Math.clamp((cold + copy - multipliedCopy) / (cold - again), 0, 1)
        : 0;
  }

  @Override
  public void close() {
    bench.close();
    ring.close();
  }
}
