package dev.offload.backends.kernels;

/**
 * Turns times of the device's clock into those of {@link System#nanoTime}. Work ends after it was
 * enqueued and before its end was seen; each work narrows what the difference of the clocks can be,
 * so that they may drift. Thread-safe.
 */
public final class DeviceClock {
  private boolean known;
  private long difference;

  /**
   * A time of the device as one of the host.
   *
   * @param enqueued host time before the work was enqueued
   * @param ended device time
   * @param seen host time after the end was seen
   */
  public synchronized long toHost(long enqueued, long ended, long seen) {
    long least = enqueued - ended;
    long most = seen - ended;
    difference = known ? Math.clamp(difference, least, most) : most;
    known = true;
    return ended + difference;
  }
}
