package dev.offload.backends.api;

/** A point in a stream. Thread-safe. */
public interface Event {

  boolean isDone();

  /**
   * Blocks until the point is reached.
   *
   * @throws IllegalStateException if work before it failed; the cause says why
   */
  void synchronize();

  /**
   * When the point was reached, in nanoseconds of {@link System#nanoTime()} as exactly as the
   * device can say. Only after {@link #isDone()}.
   */
  long reachedNanos();
}
