package dev.offload.planner;

import java.util.List;

/**
 * One step of a schedule.
 *
 * @param id number of the task, counted on from one schedule to the next
 * @param lane where it runs; tasks of a {@link LaneQueue} run in the order of their ids
 * @param work what it does
 * @param after ids of earlier tasks, of this schedule or an earlier one, that must be done before
 * @param bytes bytes read or copied or, for computing, weights and cache touched
 * @param flops floating-point operations
 */
public record Task(long id, Lane lane, Work work, List<Long> after, long bytes, long flops) {
  public Task {
    after = List.copyOf(after);
    for (long earlier : after) {
      if (earlier >= id) {
        throw new IllegalArgumentException("task " + id + " cannot wait for task " + earlier);
      }
    }
  }
}
