package dev.offload.planner.profile;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** Threads that do one thing each, at the same time. */
final class Crew {
  private Crew() {}

  /**
   * Returns when all are done. The first failure is thrown, when the others are done too.
   *
   * @param name of the threads
   */
  static void run(String name, List<? extends Runnable> tasks) {
    List<FutureTask<Void>> started = new ArrayList<>();
    for (Runnable task : tasks) {
      FutureTask<Void> future = new FutureTask<>(task, null);
      started.add(future);
      Thread.ofPlatform().daemon().name(name + "-" + started.size()).start(future);
    }
    RuntimeException failure = null;
    for (FutureTask<Void> each : started) {
      try {
        await(each);
      } catch (RuntimeException e) {
        failure = failure == null ? e : failure;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /** The threads use what the caller frees, so an interruption is passed on only afterwards. */
  private static void await(FutureTask<Void> task) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          task.get();
          return;
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new IllegalStateException("a thread failed", e.getCause());
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
