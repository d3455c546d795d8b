package dev.offload.planner.profile;

import dev.offload.backends.api.Event;
import dev.offload.backends.api.Stream;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import java.util.function.IntConsumer;

/**
 * Times several things in turn, again and again, so that a slow moment of the machine is shared out
 * among all of them as it is in a run. Nothing is left out of the means for the same reason. Not
 * thread-safe.
 */
final class Turns {
  /** Until Java has compiled what is timed. */
  private static final long WARM_UP_NANOS = 60_000_000;

  /** What a stream does at a time to be timed; events say when, so that nothing else counts. */
  private static final double SAMPLE_SECONDS = 1e-3;

  private static final int MOST_COUNT = 1 << 10;

  private final List<Turn> all = new ArrayList<>();
  private final List<Runnable> samples = new ArrayList<>();

  /** Something that is timed, and what it took on average when it was last measured. */
  static final class Turn {
    private double sum;
    private int samples;

    private void add(double seconds) {
      sum += seconds;
      samples++;
    }

    /** Mean of the samples, in seconds. */
    double seconds() {
      return sum / samples;
    }
  }

  /**
   * Adds what is done so many times at a time that waiting for it does not count.
   *
   * @param run does so many and returns when they are done
   * @return with the seconds of one
   */
  Turn add(IntConsumer run) {
    long warm = System.nanoTime() + WARM_UP_NANOS;
    do {
      run.accept(1);
    } while (System.nanoTime() < warm);
    int count = Sampler.countPerSample(run);
    return addSample(() -> Sampler.time(run, count) / count);
  }

  /**
   * Adds what a stream does.
   *
   * @return with the seconds of one when many follow each other
   */
  Turn add(Stream stream, Runnable enqueue) {
    warmUp(stream, enqueue);
    return addWarm(stream, enqueue, seconds(stream, enqueue, 1));
  }

  private Turn addWarm(Stream stream, Runnable enqueue, double once) {
    int count = (int) Math.ceil(SAMPLE_SECONDS / Math.max(once, SAMPLE_SECONDS / MOST_COUNT));
    return addSample(() -> seconds(stream, enqueue, count) / count);
  }

  private static void warmUp(Stream stream, Runnable enqueue) {
    long warm = System.nanoTime() + WARM_UP_NANOS;
    do {
      enqueue.run();
      stream.synchronize();
    } while (System.nanoTime() < warm);
  }

  /** What a stream does one after the other as in a pass, see {@link Sequence}. */
  Sequence sequence(Stream stream) {
    Sequence sequence = new Sequence(stream);
    samples.add(sequence::take);
    return sequence;
  }

  /**
   * Operations that follow each other. In a pass each comes behind another one, and so takes some
   * microseconds longer than behind itself; of those that take a millisecond that is nothing, and
   * they are timed by themselves.
   */
  final class Sequence {
    private final Stream stream;
    private final List<Step> steps = new ArrayList<>();
    private double seconds;

    private record Step(Runnable enqueue, Turn turn) {}

    private Sequence(Stream stream) {
      this.stream = stream;
    }

    /** Adds the next. */
    Turn add(Consumer<Stream> enqueue) {
      Runnable next = () -> enqueue.accept(stream);
      warmUp(stream, next);
      double once = Turns.seconds(stream, next, 1);
      if (once >= SAMPLE_SECONDS) {
        return addWarm(stream, next, once);
      }
      Turn turn = new Turn();
      all.add(turn);
      steps.add(new Step(next, turn));
      seconds += once;
      return turn;
    }

    /** All in turn, so often that it takes as long as samples of each; once before it counts. */
    private void take() {
      int times = (int) Math.clamp(steps.size() * SAMPLE_SECONDS / seconds, 1, MOST_COUNT);
      steps.forEach(step -> step.enqueue().run());
      List<Event> events = new ArrayList<>(List.of(stream.record()));
      for (int i = 0; i < times; i++) {
        for (Step step : steps) {
          step.enqueue().run();
          events.add(stream.record());
        }
      }
      events.getLast().synchronize();
      for (int i = 1; i < events.size(); i++) {
        long nanos = events.get(i).reachedNanos() - events.get(i - 1).reachedNanos();
        steps.get((i - 1) % steps.size()).turn().add(nanos / 1e9);
      }
    }
  }

  /** Seconds of so many behind another one, so that nobody sleeps when they begin. */
  private static double seconds(Stream stream, Runnable enqueue, int count) {
    enqueue.run();
    Event begin = stream.record();
    for (int i = 0; i < count; i++) {
      enqueue.run();
    }
    Event end = stream.record();
    end.synchronize();
    return Math.max(1, end.reachedNanos() - begin.reachedNanos()) / 1e9;
  }

  /** Adds what says itself how many seconds something took. */
  Turn addSample(DoubleSupplier sample) {
    Turn turn = new Turn();
    all.add(turn);
    samples.add(() -> turn.add(sample.getAsDouble()));
    return turn;
  }

  /** Measures all anew: in turn, at least once each, until so much time is over. */
  void measure(double seconds) {
    for (Turn turn : all) {
      turn.sum = 0;
      turn.samples = 0;
    }
    long end = System.nanoTime() + (long) (seconds * 1e9);
    do {
      samples.forEach(Runnable::run);
    } while (System.nanoTime() < end);
  }
}
