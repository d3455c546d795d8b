package dev.offload.backends.cuda;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Marks that are used again and again, and the time of the device. A float of milliseconds, all
 * that the driver gives, is exact to a microsecond for some seconds only; so times are counted from
 * a mark that is replaced by a later one now and then. Thread-safe.
 */
final class Marks implements AutoCloseable {

  /** Up to here a float of milliseconds has steps of half a microsecond. */
  private static final long MOST_NANOS = 8_192_000_000L;

  private static final double NANOS_PER_MILLI = 1e6;

  private final Driver driver;
  private final Deque<Driver.Mark> idle = new ArrayDeque<>();
  private Driver.Mark base;
  private long baseNanos;

  Marks(Driver driver) {
    this.driver = driver;
    Driver.Queue queue = driver.newQueue();
    try {
      base = driver.newMark();
      driver.record(base, queue);
      driver.synchronize(base);
    } finally {
      driver.destroy(queue);
    }
  }

  /** A mark, whatever it was used for. */
  synchronized Driver.Mark take() {
    return idle.isEmpty() ? driver.newMark() : idle.pop();
  }

  /**
   * When a mark was reached, in nanoseconds of the device's own clock.
   *
   * @param mark reached
   */
  synchronized long timeOf(Driver.Mark mark) {
    return baseNanos + Math.round(driver.elapsedMillis(base, mark) * NANOS_PER_MILLI);
  }

  /**
   * Takes back a mark of which no more is asked.
   *
   * @param nanos its {@link #timeOf}
   */
  synchronized void give(Driver.Mark mark, long nanos) {
    if (nanos - baseNanos < MOST_NANOS) {
      idle.push(mark);
      return;
    }
    idle.push(base);
    base = mark;
    baseNanos = nanos;
  }

  @Override
  public synchronized void close() {
    idle.push(base);
    idle.forEach(mark -> Releases.run("an event", () -> driver.destroy(mark)));
    idle.clear();
  }
}
