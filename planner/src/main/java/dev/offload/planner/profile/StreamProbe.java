package dev.offload.planner.profile;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.Event;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.planner.profile.Shapes.MatrixSize;
import dev.offload.tensors.DType;
import java.util.ArrayList;
import java.util.List;

/**
 * Weights that are copied into a ring and multiplied there, as passes do it: copies are ahead as
 * far as the ring allows, and between products with weights that were copied there are some with
 * weights that live on the device. Says how long copies take beside products, and products with
 * weights that were just copied, of which caches may still have something. Owns its buffers. Not
 * thread-safe.
 */
final class StreamProbe implements AutoCloseable {
  private static final int INPUTS = 1024;

  /** Copies that are timed each time, behind those that fill the ring. */
  private static final int TIMED = 16;

  private static final int MOST_SLOTS = 64;

  /** Caches that spare less of a product than this share spare nothing that can be measured. */
  private static final double LEAST_SPARED = 0.1;

  private final WeightRing resident;
  private final WeightRing ring;
  private final Workbench bench;
  private final PinnedBuffer host;
  private final double residentPerCopy;
  private final int slots;
  private final int rows;
  private long next;
  private double residentDue;
  private Found sum = Found.NONE;

  /**
   * What copies and products took, summed up.
   *
   * @param arrived products with weights that were copied
   * @param residents products with weights that live on the device
   */
  record Found(Timed copies, Timed arrived, Timed residents) {
    static final Found NONE = new Found(Timed.NONE, Timed.NONE, Timed.NONE);

    private Found plus(Found other) {
      return new Found(
          copies.plus(other.copies), arrived.plus(other.arrived), residents.plus(other.residents));
    }

    /**
     * How many times as long copies take while something is multiplied.
     *
     * @param alone seconds of a copy with nothing else going on
     */
    double slowDown(double alone) {
      double speed = copies.sharedSpeed(alone);
      return speed > 0 ? 1 / speed : Double.MAX_VALUE;
    }

    /**
     * How much of what was copied caches still have, 0 to 1: by how much less products with it
     * take, of what caches spare products with the same weights again. How copies slow products
     * down is known from those with other weights.
     *
     * @param cold seconds of a product with weights that no cache has
     * @param again with the same weights again
     */
    double kept(double cold, double again) {
      if (residents.count() == 0 || cold - again < LEAST_SPARED * cold) {
        return 0;
      }
      double alone = arrived.secondsAlone(residents.sharedSpeed(cold));
      return Math.clamp((cold - alone) / (cold - again), 0, 1);
    }
  }

  /**
   * Copies, or products.
   *
   * @param sharedSeconds of their seconds, those in which the other stream did something too
   */
  record Timed(int count, double seconds, double sharedSeconds) {
    static final Timed NONE = new Timed(0, 0, 0);

    private static Timed of(List<Span> spans, List<Span> others) {
      double shared = 0;
      for (Span each : spans) {
        for (Span other : others) {
          shared += each.sharedSeconds(other);
        }
      }
      return new Timed(spans.size(), StreamProbe.seconds(spans), shared);
    }

    private Timed plus(Timed other) {
      return new Timed(
          count + other.count, seconds + other.seconds, sharedSeconds + other.sharedSeconds);
    }

    /**
     * How fast they go while the other stream does something, 0 to 1.
     *
     * @param alone seconds of one while it does nothing
     */
    private double sharedSpeed(double alone) {
      double done = count * alone - (seconds - sharedSeconds);
      return sharedSeconds > 0 ? Math.clamp(done / sharedSeconds, 0, 1) : 1;
    }

    /** Of one, had the other stream done nothing. */
    private double secondsAlone(double sharedSpeed) {
      return (seconds - sharedSeconds + sharedSpeed * sharedSeconds) / count;
    }
  }

  /**
   * @param piece bytes of weights that are copied at a time
   * @param rows that are multiplied
   * @param bytes gone through, so that no cache holds it
   */
  StreamProbe(Device device, DType dtype, long piece, Streamed streamed, int rows, long bytes) {
    this.rows = rows;
    residentPerCopy = (1 - streamed.share()) / streamed.share();
    int outputs = Math.toIntExact(Math.max(1, piece / INPUTS / dtype.bytes()));
    MatrixSize size = new MatrixSize(outputs, INPUTS);
    bench = new Workbench(device);
    try {
      resident = bench.own(new WeightRing(device, dtype, size, rows, bytes));
      long ringBytes = Math.min(bytes, streamed.ringBytes());
      slots = Math.clamp(ringBytes / resident.imageBytes(), 1, MOST_SLOTS);
      ring = bench.own(new WeightRing(device, dtype, size, rows, slots * resident.imageBytes()));
      host = bench.allocatePinned(Math.max(bytes, ring.imageBytes()));
    } catch (RuntimeException | Error e) {
      bench.close();
      throw e;
    }
  }

  /** The stream that multiplies. */
  Stream stream() {
    return resident.stream();
  }

  /** Enqueues a product with weights that no cache has. */
  void cold() {
    resident.enqueue(stream(), rows);
  }

  /** Enqueues a product with the same weights again. */
  void again() {
    resident.enqueueAgain(stream(), rows);
  }

  /** Streams for a while, and says how many seconds copies took. */
  double sample() {
    int count = slots + TIMED;
    Stream copies = bench.stream();
    List<Span> copied = new ArrayList<>();
    List<Span> arrived = new ArrayList<>();
    List<Span> residents = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      if (i >= slots) {
        copies.await(arrived.get(i - slots).end());
      }
      int slot = i % slots;
      copied.add(span(copies, () -> ring.enqueueCopy(copies, host, next(), slot)));
      for (residentDue += residentPerCopy; residentDue >= 1; residentDue--) {
        Span span = span(stream(), this::cold);
        if (i >= slots) {
          residents.add(span);
        }
      }
      stream().await(copied.get(i).end());
      arrived.add(span(stream(), () -> ring.enqueueOf(stream(), slot, rows)));
    }
    stream().synchronize();
    copies.synchronize();
    List<Span> timed = copied.subList(slots, count);
    List<Span> multiplied = arrived.subList(slots, count);
    List<Span> products = new ArrayList<>(residents);
    products.addAll(arrived);
    sum =
        sum.plus(
            new Found(
                Timed.of(timed, products),
                Timed.of(multiplied, copied),
                Timed.of(residents, copied)));
    return seconds(timed);
  }

  /** What was found since it was last asked for. */
  Found take() {
    Found found = sum;
    sum = Found.NONE;
    return found;
  }

  /** What a stream does between two events. */
  private record Span(Event begin, Event end) {
    double seconds() {
      return (end.reachedNanos() - begin.reachedNanos()) / 1e9;
    }

    double sharedSeconds(Span other) {
      long from = Math.max(begin.reachedNanos(), other.begin.reachedNanos());
      long to = Math.min(end.reachedNanos(), other.end.reachedNanos());
      return Math.max(0, to - from) / 1e9;
    }
  }

  private static double seconds(List<Span> spans) {
    return spans.stream().mapToDouble(Span::seconds).sum();
  }

  private static Span span(Stream stream, Runnable enqueue) {
    Event begin = stream.record();
    enqueue.run();
    return new Span(begin, stream.record());
  }

  private long next() {
    long bytes = ring.imageBytes();
    long offset = next + bytes > host.segment().byteSize() ? 0 : next;
    next = offset + bytes;
    return offset;
  }

  @Override
  public void close() {
    bench.close();
  }
}
