package dev.offload.engine.execute;

import dev.offload.planner.Task;

/** Hears of tasks that are done, in the order of their numbers, on the engine's thread. */
@FunctionalInterface
public interface TaskListener {

  /**
   * A task is done, or was found not to be needed.
   *
   * @param beginNanos when its lane could begin it: all that it waited for was done, and so was the
   *     lane's last task; as {@link System#nanoTime()}
   * @param endNanos when it was done; the same as the beginning or earlier if it did not have to
   *     run
   */
  void done(Task task, long beginNanos, long endNanos);
}
