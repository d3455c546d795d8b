package dev.offload.planner.simulate;

import dev.offload.planner.PassShape;
import dev.offload.planner.PassTimeline;
import dev.offload.planner.PassTimeline.Span;
import dev.offload.planner.Task;
import dev.offload.planner.TaskNames;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * One pass as it was simulated.
 *
 * @param shape what it had to do
 * @param beginSeconds since the simulator's beginning
 * @param endSeconds when its result was there, or had been used
 * @param entries the tasks that ran meanwhile, of the pass before too
 */
public record PlayedPass(
    PassShape shape, double beginSeconds, double endSeconds, List<Entry> entries) {
  public PlayedPass {
    entries = List.copyOf(entries);
  }

  /**
   * A task.
   *
   * @param beginSeconds since the simulator's beginning
   * @param endSeconds when it was done, or the end of the pass if it went on
   */
  public record Entry(Task task, double beginSeconds, double endSeconds) {}

  /** From its begin to its end. */
  public double seconds() {
    return endSeconds - beginSeconds;
  }

  /**
   * The same for people, as engines record it.
   *
   * @param number of the pass in its run, from 1
   */
  public PassTimeline timeline(long number) {
    List<Span> spans = new ArrayList<>();
    for (Entry entry : entries) {
      long begin = Math.max(0, nanos(entry.beginSeconds));
      long end = nanos(entry.endSeconds);
      if (begin < end) {
        spans.add(new Span(entry.task.lane(), TaskNames.of(entry.task), begin, end));
      }
    }
    spans.sort(Comparator.comparingLong(Span::beginNanos));
    return new PassTimeline(
        number, shape.sequences(), shape.tokens(), shape.promptTokens(), nanos(endSeconds), spans);
  }

  private long nanos(double seconds) {
    return Math.round((seconds - beginSeconds) * 1e9);
  }
}
