package dev.offload.planner.profile;

import dev.offload.backends.api.Stream;
import java.util.Arrays;
import java.util.function.DoubleSupplier;
import java.util.function.IntConsumer;
import java.util.stream.DoubleStream;

/**
 * Times work that repeats: means of samples, more of them where they differ. What a run takes is
 * the sum of its parts, slow ones included, so a median would promise too much; only samples that
 * something else interrupted are left out. Not thread-safe.
 */
final class Sampler {
  private static final int LEAST_SAMPLES = 3;

  /** Samples that differ more between quartiles get up to {@link #PATIENCE} times the time. */
  private static final double STEADY = 0.1;

  private static final double PATIENCE = 3;

  /** A sample is no shorter, so that issuing and waiting do not count. */
  private static final double LEAST_SAMPLE_SECONDS = 3e-3;

  /** Samples that are so many times as long as the median were interrupted. */
  private static final double INTERRUPTED = 2;

  /** Time of warming up over that of a figure. */
  private static final double WARM_UP = 4;

  private final double seconds;

  /**
   * @param seconds time of one figure
   */
  Sampler(double seconds) {
    this.seconds = seconds;
  }

  /** Seconds that one of what is enqueued takes when many follow each other. */
  double perItem(Stream stream, Runnable enqueue) {
    return perItem(repeating(stream, enqueue));
  }

  /** Enqueues something so many times, each behind the one before, and waits for all. */
  static IntConsumer repeating(Stream stream, Runnable enqueue) {
    return count -> {
      for (int i = 0; i < count; i++) {
        enqueue.run();
      }
      stream.synchronize();
    };
  }

  /**
   * Seconds that one item takes when many follow each other.
   *
   * @param run does so many and returns when they are done
   */
  double perItem(IntConsumer run) {
    int count = countPerSample(run);
    double[] samples = new double[0];
    double spent = 0;
    while (samples.length < LEAST_SAMPLES || spent < limit(samples)) {
      samples = Arrays.copyOf(samples, samples.length + 1);
      samples[samples.length - 1] = time(run, count);
      spent += samples[samples.length - 1];
    }
    return uninterruptedMean(samples) / count;
  }

  /** Mean of what is sampled again and again for the time of one figure. */
  double mean(DoubleSupplier sample) {
    long end = System.nanoTime() + (long) (seconds * 1e9);
    DoubleStream.Builder samples = DoubleStream.builder();
    for (int i = 0; i < LEAST_SAMPLES || System.nanoTime() < end; i++) {
      samples.add(sample.getAsDouble());
    }
    return uninterruptedMean(samples.build().toArray());
  }

  private static double uninterruptedMean(double[] samples) {
    double longest = INTERRUPTED * median(samples);
    return Arrays.stream(samples).filter(each -> each <= longest).average().orElseThrow();
  }

  /** How many of something make a sample. */
  static int countPerSample(IntConsumer run) {
    int count = 1;
    double took = time(run, count);
    while (took < LEAST_SAMPLE_SECONDS && count < 1 << 20) {
      count = Math.max(2 * count, (int) (count * Math.min(64, LEAST_SAMPLE_SECONDS / took)));
      took = time(run, count);
    }
    return count;
  }

  /** Does something for a while, so that Java compiles it and pages are there. */
  void warmUp(Stream stream, Runnable enqueue) {
    long end = System.nanoTime() + (long) (WARM_UP * seconds * 1e9);
    do {
      enqueue.run();
      stream.synchronize();
    } while (System.nanoTime() < end);
  }

  private double limit(double[] samples) {
    double[] sorted = samples.clone();
    Arrays.sort(sorted);
    double spread = sorted[3 * (sorted.length - 1) / 4] - sorted[(sorted.length - 1) / 4];
    return spread > STEADY * median(samples) ? PATIENCE * seconds : seconds;
  }

  /** Seconds that so many take. */
  static double time(IntConsumer run, int count) {
    long begin = System.nanoTime();
    run.accept(count);
    return Math.max(1, System.nanoTime() - begin) / 1e9;
  }

  static double median(double[] samples) {
    double[] sorted = samples.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
