package dev.offload.engine.execute;

import dev.offload.backends.api.Event;
import dev.offload.backends.api.Stream;
import dev.offload.planner.LaneQueue;
import dev.offload.planner.Task;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.IntStream;

/**
 * The thread that goes through the tasks of one queue. A queue of the host may have several, which
 * then begin tasks in order and work on as many at a time.
 */
final class LaneFeeder implements AutoCloseable {
  private final LaneQueue of;
  private final OverlappedExecutor executor;
  private final Optional<Stream> stream;
  private final boolean waitsForCores;
  private final BlockingQueue<Optional<Completion>> queue = new LinkedBlockingQueue<>();
  private final ReentrantLock beginning = new ReentrantLock();
  private final List<Thread> threads;

  private LaneFeeder(
      LaneQueue of, OverlappedExecutor executor, Optional<Stream> stream, boolean waitsForCores) {
    this.of = of;
    this.executor = executor;
    this.stream = stream;
    this.waitsForCores = waitsForCores;
    this.threads =
        IntStream.range(0, of.atATime())
            .mapToObj(
                i ->
                    Thread.ofPlatform()
                        .daemon()
                        .name("offload-lane-" + of + (i == 0 ? "" : "-" + i))
                        .unstarted(this::loop))
            .toList();
  }

  static LaneFeeder onHost(LaneQueue of, OverlappedExecutor executor) {
    return new LaneFeeder(of, executor, Optional.empty(), false);
  }

  /**
   * One whose tasks are enqueued on a stream.
   *
   * @param waitsForCores streams share the host's cores, so that one may have to wait for a core
   *     when it comes to a task; that is not part of the task
   */
  static LaneFeeder onStream(
      LaneQueue of, OverlappedExecutor executor, Stream stream, boolean waitsForCores) {
    return new LaneFeeder(of, executor, Optional.of(stream), waitsForCores);
  }

  void start() {
    threads.forEach(Thread::start);
  }

  void feed(Completion completion) {
    queue.add(Optional.of(completion));
  }

  private void loop() {
    try {
      for (Optional<Completion> next = begin(); next.isPresent(); next = begin()) {
        if (executor.hasFailed()) {
          next.get().abandon();
        } else {
          play(next.get());
        }
      }
      stop();
    } catch (Completion.AbandonedException e) {
      abandonRest();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (Throwable e) {
      executor.fail(e);
      abandonRest();
    }
  }

  /** The next task, when all that it waits for is issued. Tasks begin in the order of the queue. */
  private Optional<Completion> begin() throws InterruptedException {
    beginning.lockInterruptibly();
    try {
      Optional<Completion> next = queue.take();
      if (next.isPresent() && !executor.hasFailed()) {
        for (long earlier : next.get().task().after()) {
          waitFor(executor.completion(earlier));
        }
      }
      return next;
    } finally {
      beginning.unlock();
    }
  }

  private void play(Completion completion) {
    Task task = completion.task();
    long now = System.nanoTime();
    if (!executor.actions().isNeeded(task)) {
      completion.done(now);
    } else if (stream.isPresent()) {
      Optional<Event> reached =
          waitsForCores ? Optional.of(stream.get().record()) : Optional.empty();
      executor.actions().onStream(task, stream.get());
      completion.issued(now, reached, stream.get().record());
    } else {
      executor.actions().onHost(task);
      completion.done(now);
    }
  }

  private void waitFor(Completion earlier) throws InterruptedException {
    if (earlier == null || (LaneQueue.of(earlier.task()) == of && stream.isPresent())) {
      return;
    }
    Event event = earlier.awaitIssued();
    if (event == null) {
      return;
    }
    if (stream.isPresent()) {
      stream.get().await(event);
    } else {
      event.synchronize();
    }
  }

  private void abandonRest() {
    for (Optional<Completion> next = queue.poll(); next != null; next = queue.poll()) {
      if (next.isEmpty()) {
        stop();
        return;
      }
      next.get().abandon();
    }
  }

  /** Tells the next thread that there is nothing more to come. */
  private void stop() {
    queue.add(Optional.empty());
  }

  /** Lets the queue finish what it has and stops it. */
  @Override
  public void close() {
    stop();
    boolean interrupted = false;
    for (Thread thread : threads) {
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          interrupted = true;
          thread.interrupt();
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    stream.ifPresent(Stream::close);
  }
}
