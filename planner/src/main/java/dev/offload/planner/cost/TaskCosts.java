package dev.offload.planner.cost;

import dev.offload.planner.PassShape;
import dev.offload.planner.Task;

/** What the tasks of a schedule cost on some machine. */
@FunctionalInterface
public interface TaskCosts {

  /**
   * The cost of one task.
   *
   * @param pass what the pass it belongs to has to do
   */
  Cost of(Task task, PassShape pass);
}
