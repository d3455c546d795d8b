package dev.offload.engine.execute;

import dev.offload.backends.api.Event;
import dev.offload.planner.Task;
import java.util.Optional;

/**
 * How far a task has come: waiting, issued (enqueued on its stream), done. Written by the lane that
 * runs the task, read by the others.
 */
final class Completion {
  private final Task task;
  private Event event;
  private Event reached;
  private boolean issued;
  private boolean abandoned;
  private long issuedNanos;
  private long doneNanos;

  Completion(Task task) {
    this.task = task;
  }

  Task task() {
    return task;
  }

  /**
   * The task has been enqueued.
   *
   * @param before when the stream comes to it, if that is known
   * @param done when it is done
   */
  synchronized void issued(long issuedAt, Optional<Event> before, Event done) {
    issuedNanos = issuedAt;
    reached = before.orElse(null);
    event = done;
    issued = true;
    notifyAll();
  }

  /** The task ran on the host, or did not have to run, and is done. */
  synchronized void done(long beganAt) {
    issuedNanos = beganAt;
    doneNanos = System.nanoTime();
    issued = true;
    notifyAll();
  }

  /** The task will never run, because an earlier one failed. */
  synchronized void abandon() {
    abandoned = true;
    notifyAll();
  }

  /**
   * Blocks until the task has been issued.
   *
   * @return what to wait for on a stream, null if it is done already
   * @throws AbandonedException if it will never run
   */
  synchronized Event awaitIssued() throws InterruptedException {
    while (!issued && !abandoned) {
      wait();
    }
    if (!issued) {
      throw new AbandonedException();
    }
    return event;
  }

  synchronized boolean isDone() {
    return abandoned || (issued && (event == null || event.isDone()));
  }

  /** When it was issued or, as far as that is known, began; only after {@link #isDone()}. */
  synchronized long issuedNanos() {
    if (reached != null) {
      issuedNanos = reached.reachedNanos();
      reached = null;
    }
    return issuedNanos;
  }

  /** When it was done; only after {@link #isDone()}. */
  synchronized long doneNanos() {
    if (event != null) {
      doneNanos = event.reachedNanos();
      event = null;
    }
    return doneNanos;
  }

  /** A task that was waited for will never run. */
  static final class AbandonedException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    AbandonedException() {
      super("an earlier task failed");
    }
  }
}
