package dev.offload.backends.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.offload.backends.api.Event;
import dev.offload.backends.kernels.Failure;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * A mark in the stream's queue, behind a copy of the stream's status if kernels that may fail came
 * before. Once it is reached, the event keeps what it needs in Java and gives both back.
 */
final class CudaEvent implements Event {
  private final CudaStream stream;
  private final long number;
  private final Driver.Mark mark;
  private final Optional<MemorySegment> status;
  private final Optional<CudaEvent> before;
  private final long enqueuedNanos;
  private int waiting;
  private boolean settled;
  private boolean reached;
  private long endedNanos;
  private long reachedNanos;
  private Optional<String> failure = Optional.empty();

  /**
   * @param number of the event in its stream, ascending
   * @param mark given back by this
   * @param status where the stream's status is copied to; given back by this
   * @param before the last event of the stream that has a status, if this has none
   * @param enqueuedNanos a time before the mark was enqueued
   */
  CudaEvent(
      CudaStream stream,
      long number,
      Driver.Mark mark,
      Optional<MemorySegment> status,
      Optional<CudaEvent> before,
      long enqueuedNanos) {
    this.stream = stream;
    this.number = number;
    this.mark = mark;
    this.status = status;
    this.before = before;
    this.enqueuedNanos = enqueuedNanos;
  }

  CudaStream stream() {
    return stream;
  }

  long number() {
    return number;
  }

  @Override
  public synchronized boolean isDone() {
    if (settled) {
      return true;
    }
    try {
      if (stream.resources().driver().isReached(mark)) {
        settle();
      }
    } catch (CudaException e) {
      settleLost(e);
    }
    return settled;
  }

  @Override
  public void synchronize() {
    awaitReached();
    stream.surface(this);
  }

  /** Blocks until the point is reached, whether work failed or not. */
  void awaitReached() {
    synchronized (this) {
      if (isDone()) {
        return;
      }
      waiting++;
    }
    Optional<CudaException> lost = waitForMark();
    synchronized (this) {
      waiting--;
      if (!settled) {
        lost.ifPresentOrElse(this::settleLost, this::settle);
      }
      giveBack();
    }
  }

  /** Not under the lock: others may ask meanwhile. */
  private Optional<CudaException> waitForMark() {
    try {
      stream.resources().driver().synchronize(mark);
      return Optional.empty();
    } catch (CudaException e) {
      return Optional.of(e);
    }
  }

  /** Makes a queue wait for the point. */
  synchronized void holdUp(Driver.Queue queue) {
    if (!isDone()) {
      stream.resources().driver().await(queue, mark);
    }
  }

  /** What failed before the point, in words; only once it is reached. */
  synchronized Optional<String> failure() {
    return failure;
  }

  @Override
  public synchronized long reachedNanos() {
    if (!isDone()) {
      throw new IllegalStateException("the event is not reached yet");
    }
    return reachedNanos;
  }

  private void settle() {
    CudaResources resources = stream.resources();
    endedNanos = resources.marks().timeOf(mark);
    reachedNanos = resources.clock().toHost(enqueuedNanos, endedNanos, System.nanoTime());
    status.ifPresent(this::readStatus);
    before.ifPresent(this::takeFailure);
    settled = true;
    reached = true;
    giveBack();
  }

  /** Of an event before this one in the same queue, which is reached. */
  private void takeFailure(CudaEvent earlier) {
    earlier.awaitReached();
    failure = earlier.failure();
  }

  /** A mark that a thread waits for must not be used again: the last one gives it back. */
  private void giveBack() {
    if (reached && waiting == 0) {
      reached = false;
      stream.resources().marks().give(mark, endedNanos);
    }
  }

  private void readStatus(MemorySegment slot) {
    int code = slot.get(JAVA_INT, 0);
    if (code != 0) {
      failure =
          Optional.of(
              Failure.describe(
                  code, slot.get(JAVA_INT, 4), slot.get(JAVA_INT, 8), slot.get(JAVA_INT, 12)));
    }
    stream.resources().slots().give(slot);
  }

  private void settleLost(CudaException e) {
    failure = Optional.of(e.getMessage());
    reachedNanos = System.nanoTime();
    settled = true;
    reached = true;
    stream.resources().lose(e);
    giveBack();
  }
}
