package dev.offload.backends.cpu;

import dev.offload.backends.api.Event;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;

/** A point in a {@link CpuStream}, reached once. */
final class CpuEvent implements Event {
  private static final long SPIN_NANOS = 20_000;
  private static final int SPINS_PER_CLOCK_READ = 32;

  private final CpuStream stream;
  private final CountDownLatch reached = new CountDownLatch(1);
  private final List<Runnable> waiting = new ArrayList<>();
  private volatile boolean done;
  private long nanos;
  private StreamFailure failure;

  CpuEvent(CpuStream stream) {
    this.stream = stream;
  }

  /**
   * Called by the worker that reaches the point.
   *
   * @param failureBefore the failed work before this point, or null
   */
  void reach(StreamFailure failureBefore) {
    failure = failureBefore;
    nanos = System.nanoTime();
    List<Runnable> next;
    synchronized (waiting) {
      done = true;
      next = List.copyOf(waiting);
    }
    reached.countDown();
    next.forEach(Runnable::run);
  }

  /**
   * Calls something as soon as the point is reached, from whichever thread reaches it.
   *
   * @return false, and nothing will be called, if it is reached already
   */
  boolean whenReached(Runnable next) {
    synchronized (waiting) {
      if (!done) {
        waiting.add(next);
      }
      return !done;
    }
  }

  /** The failed work before the point, once that is reached. */
  Optional<StreamFailure> failure() {
    return Optional.ofNullable(failure);
  }

  @Override
  public boolean isDone() {
    return done;
  }

  @Override
  public void synchronize() {
    awaitReached();
    if (failure != null) {
      stream.surfaced(failure);
      throw failure.toException();
    }
  }

  /** Blocks until the point is reached. */
  void awaitReached() {
    long spinUntil = System.nanoTime() + SPIN_NANOS;
    for (int spins = 1; !done; spins++) {
      Thread.onSpinWait();
      if (spins % SPINS_PER_CLOCK_READ == 0 && System.nanoTime() > spinUntil) {
        park();
        return;
      }
    }
  }

  private void park() {
    boolean interrupted = false;
    while (!done) {
      try {
        reached.await();
      } catch (InterruptedException e) {
        interrupted = true; // the work behind the event goes on; waiting for it must too
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public long reachedNanos() {
    if (!done) {
      throw new IllegalStateException("the event is not reached yet");
    }
    return nanos;
  }
}
