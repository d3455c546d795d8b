package dev.offload.engine;

import dev.offload.engine.execute.TaskListener;
import dev.offload.engine.pass.Pass;
import dev.offload.planner.PassTimeline;
import dev.offload.planner.PassTimeline.Span;
import dev.offload.planner.Schedule;
import dev.offload.planner.Task;
import dev.offload.planner.TaskNames;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Notes task by task what lanes do in the passes number 1, 2, 4, 8 and so on of a run, and keeps
 * the last that was not much emptier than the fullest: a pass of the steady state, whenever the run
 * ends, and next to no cost. Owned by the engine thread.
 */
final class PassRecorder implements TaskListener {
  private long passes;
  private int mostSequences;
  private Optional<Recording> current = Optional.empty();
  private Optional<PassTimeline> kept = Optional.empty();
  private Optional<PassListener> listener = Optional.empty();
  private Pass running;
  private long began;

  /** From now on somebody hears of all passes. */
  void tell(PassListener listener) {
    this.listener = Optional.of(listener);
  }

  /** A run begins; what is known of the last one is forgotten. */
  void newRun() {
    passes = 0;
    mostSequences = 0;
    current = Optional.empty();
    kept = Optional.empty();
  }

  /** A pass begins. */
  void begins(Pass pass, Schedule schedule) {
    passes++;
    running = pass;
    began = System.nanoTime();
    if (Long.bitCount(passes) == 1) {
      keep();
      current = Optional.of(new Recording(passes, pass, began, schedule.tasks().getLast().id()));
    }
  }

  /** The pass that began last has its logits; some of its tasks may still run. */
  void ended() {
    long end = System.nanoTime();
    current.ifPresent(recording -> recording.end(end));
    listener.ifPresent(
        each ->
            each.passed(
                passes, running.sequences(), running.tokens(), running.promptTokens(), began, end));
  }

  @Override
  public void done(Task task, long beginNanos, long endNanos) {
    listener.ifPresent(each -> each.done(task, beginNanos, endNanos));
    if (current.isPresent()) {
      current.get().add(task, beginNanos, endNanos);
      if (current.get().isComplete()) {
        keep();
      }
    }
  }

  /** The pass that was kept; empty before the first has ended. */
  Optional<PassTimeline> timeline() {
    keep();
    return kept;
  }

  /** Keeps what was recorded if it is typical. */
  private void keep() {
    if (current.isEmpty() || !current.get().hasEnded()) {
      return;
    }
    PassTimeline timeline = current.get().timeline();
    current = Optional.empty();
    mostSequences = Math.max(mostSequences, timeline.sequences());
    if (2 * timeline.sequences() >= mostSequences) {
      kept = Optional.of(timeline);
    }
  }

  /** A pass that is being recorded. */
  private static final class Recording {
    private final long number;
    private final Pass pass;
    private final long lastTask;
    private final long begin;
    private final List<Span> spans = new ArrayList<>();
    private long end = Long.MAX_VALUE;
    private long heard = -1;

    /**
     * @param lastTask number of the last task that belongs to the pass
     */
    Recording(long number, Pass pass, long begin, long lastTask) {
      this.number = number;
      this.pass = pass;
      this.begin = begin;
      this.lastTask = lastTask;
    }

    void end(long nanos) {
      if (end == Long.MAX_VALUE) {
        end = nanos;
      }
    }

    boolean hasEnded() {
      return end != Long.MAX_VALUE;
    }

    /** Whether nothing more of it will be heard. */
    boolean isComplete() {
      return hasEnded() && heard >= lastTask;
    }

    void add(Task task, long from, long to) {
      heard = task.id();
      long first = Math.max(from, begin);
      long last = Math.min(to, end);
      if (first < last) {
        spans.add(new Span(task.lane(), TaskNames.of(task), first - begin, last - begin));
      }
    }

    PassTimeline timeline() {
      spans.sort(Comparator.comparingLong(Span::beginNanos));
      return new PassTimeline(
          number, pass.sequences(), pass.tokens(), pass.promptTokens(), end - begin, spans);
    }
  }
}
