package dev.offload.planner.profile;

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
