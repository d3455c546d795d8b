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

  /**
   * The cost of a copy of experts that begins when it is known which of them got tokens: without
   * any it is not made. What that is on average, or, if nothing is known of it, the whole cost.
   *
   * @param pass what the pass it belongs to has to do
   */
  default Cost ofCopyIfNeeded(Task task, PassShape pass) {
    return of(task, pass);
  }
}
