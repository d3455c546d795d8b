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
import java.util.function.Predicate;

/**
 * Notes task by task what lanes do in the passes number 1, 2, 4, 8 and so on of a run, and keeps
 * the last that was not much emptier than the fullest: a pass of the steady state, whenever the run
 * ends, and next to no cost. Owned by the engine thread.
 */
final class PassRecorder implements TaskListener {
  private long passes;
  private int mostSequences;

  /** Begun, oldest first; tasks of the last pass are heard of while the next one runs. */
  private final List<Recording> recordings = new ArrayList<>();

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
    recordings.clear();
    kept = Optional.empty();
  }

  /** A pass begins. */
  void begins(Pass pass, Schedule schedule) {
    passes++;
    running = pass;
    began = System.nanoTime();
    if (Long.bitCount(passes) == 1) {
      recordings.add(new Recording(passes, pass, began, schedule.tasks().getLast().id()));
    }
  }

  /** The pass that began last has its logits; some of its tasks may still run. */
  void ended() {
    long end = System.nanoTime();
    recordings.forEach(recording -> recording.end(end));
    listener.ifPresent(
        each ->
            each.passed(
                passes, running.sequences(), running.tokens(), running.promptTokens(), began, end));
  }

  @Override
  public void done(Task task, long beginNanos, long endNanos) {
    listener.ifPresent(each -> each.done(task, beginNanos, endNanos));
    recordings.forEach(recording -> recording.add(task, beginNanos, endNanos));
    keep(Recording::isComplete);
  }

  /** The pass that was kept; empty before the first has ended. */
  Optional<PassTimeline> timeline() {
    keep(Recording::hasEnded);
    return kept;
  }

  private void keep(Predicate<Recording> finished) {
    while (!recordings.isEmpty() && finished.test(recordings.getFirst())) {
      keep(recordings.removeFirst().timeline());
    }
  }

  /** Keeps what was recorded if it is typical. */
  private void keep(PassTimeline timeline) {
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
