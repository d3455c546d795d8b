package dev.offload.engine.execute;

import dev.offload.backends.api.Event;
import dev.offload.backends.api.Stream;
import dev.offload.planner.Lane;
import dev.offload.planner.Task;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/** The thread that goes through the tasks of one lane. */
final class LaneFeeder implements AutoCloseable {
  private final Lane lane;
  private final OverlappedExecutor executor;
  private final Optional<Stream> stream;
  private final BlockingQueue<Optional<Completion>> queue = new LinkedBlockingQueue<>();
  private final Thread thread;

  private LaneFeeder(Lane lane, OverlappedExecutor executor, Optional<Stream> stream) {
    this.lane = lane;
    this.executor = executor;
    this.stream = stream;
    this.thread = Thread.ofPlatform().daemon().name("offload-lane-" + lane).unstarted(this::loop);
  }

  static LaneFeeder onHost(Lane lane, OverlappedExecutor executor) {
    return new LaneFeeder(lane, executor, Optional.empty());
  }

  static LaneFeeder onStream(Lane lane, OverlappedExecutor executor, Stream stream) {
    return new LaneFeeder(lane, executor, Optional.of(stream));
  }

  void start() {
    thread.start();
  }

  void feed(Completion completion) {
    queue.add(Optional.of(completion));
  }

  private void loop() {
    try {
      for (Optional<Completion> next = queue.take(); next.isPresent(); next = queue.take()) {
        if (executor.hasFailed()) {
          next.get().abandon();
        } else {
          play(next.get());
        }
      }
    } catch (Completion.AbandonedException e) {
      abandonRest();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (Throwable e) {
      executor.fail(e);
      abandonRest();
    }
  }

  private void play(Completion completion) throws InterruptedException {
    Task task = completion.task();
    for (long earlier : task.after()) {
      waitFor(executor.completion(earlier));
    }
    long now = System.nanoTime();
    if (!executor.actions().isNeeded(task)) {
      completion.done(now);
    } else if (stream.isPresent()) {
      executor.actions().onStream(task, stream.get());
      completion.issued(now, stream.get().record());
    } else {
      executor.actions().onHost(task);
      completion.done(now);
    }
  }

  private void waitFor(Completion earlier) throws InterruptedException {
    if (earlier == null || (earlier.task().lane() == lane && stream.isPresent())) {
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
      next.ifPresent(Completion::abandon);
    }
  }

  /** Lets the lane finish what it has and stops it. */
  @Override
  public void close() {
    queue.add(Optional.empty());
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
        thread.interrupt();
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    stream.ifPresent(Stream::close);
  }
}
