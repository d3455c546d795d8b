package dev.offload.backends.cpu;

import dev.offload.backends.api.Event;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;

/** A point in a {@link CpuStream}, reached once by the stream's thread. */
final class CpuEvent implements Event {
  private static final long SPIN_NANOS = 20_000;
  private static final int SPINS_PER_CLOCK_READ = 32;

  private final CpuStream stream;
  private final CountDownLatch reached = new CountDownLatch(1);
  private volatile boolean done;
  private long nanos;
  private StreamFailure failure;

  CpuEvent(CpuStream stream) {
    this.stream = stream;
  }

  /**
   * Called by the stream's thread when the point is reached.
   *
   * @param failureBefore the failed work before this point, or null
   */
  void reach(StreamFailure failureBefore) {
    failure = failureBefore;
    nanos = System.nanoTime();
    done = true;
    reached.countDown();
  }

  @Override
  public boolean isDone() {
    return done;
  }

  @Override
  public void synchronize() {
    waitUntilReached();
    if (failure != null) {
      stream.surfaced(failure);
      throw failure.toException();
    }
  }

  /** Blocks until the point is reached; the failed work before it, if any. */
  Optional<StreamFailure> awaitReached() {
    waitUntilReached();
    return Optional.ofNullable(failure);
  }

  private void waitUntilReached() {
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
