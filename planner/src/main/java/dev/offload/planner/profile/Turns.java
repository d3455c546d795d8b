package dev.offload.planner.profile;

import dev.offload.backends.api.Event;
import dev.offload.backends.api.Stream;
import java.util.ArrayList;
import java.util.List;
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

  /** Something that is timed, and what it took on average when it was last measured. */
  static final class Turn {
    private final DoubleSupplier sample;
    private double sum;
    private int samples;

    private Turn(DoubleSupplier sample) {
      this.sample = sample;
    }

    private void take() {
      sum += sample.getAsDouble();
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
    long warm = System.nanoTime() + WARM_UP_NANOS;
    do {
      enqueue.run();
      stream.synchronize();
    } while (System.nanoTime() < warm);
    double once = seconds(stream, enqueue, 1);
    int count = (int) Math.ceil(SAMPLE_SECONDS / Math.max(once, SAMPLE_SECONDS / MOST_COUNT));
    return addSample(() -> seconds(stream, enqueue, count) / count);
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
    Turn turn = new Turn(sample);
    all.add(turn);
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
      all.forEach(Turn::take);
    } while (System.nanoTime() < end);
  }
}
