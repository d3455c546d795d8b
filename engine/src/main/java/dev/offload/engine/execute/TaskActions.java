package dev.offload.engine.execute;

import dev.offload.backends.api.Stream;
import dev.offload.planner.Task;

/** What tasks do. Each lane calls from its own thread. */
public interface TaskActions {

  /**
   * Whether a task has to run, as far as is known at this moment; routing may have made it
   * needless.
   */
  boolean isNeeded(Task task);

  /** Enqueues the task; it must not block. For all lanes but DISK and CPU. */
  void onStream(Task task, Stream stream);

  /** Runs the task and returns when it is done. For lanes DISK and CPU. */
  void onHost(Task task);
}
