package dev.offload.planner;

import java.util.List;

/**
 * What one pass does, as data: tasks on lanes with what they wait for. Playing the tasks one by one
 * in this order is always correct; queues of lanes in parallel, each in order, is faster and gives
 * the same.
 *
 * @param tasks in a valid order, ids consecutive
 * @param resultTask id of the last task that the pass's result needs; those behind it fetch weights
 *     for the next pass
 */
public record Schedule(List<Task> tasks, long resultTask) {
  public Schedule {
    tasks = List.copyOf(tasks);
    for (int i = 1; i < tasks.size(); i++) {
      if (tasks.get(i).id() != tasks.get(i - 1).id() + 1) {
        throw new IllegalArgumentException(
            "task " + tasks.get(i).id() + " follows task " + tasks.get(i - 1).id());
      }
    }
  }
}
