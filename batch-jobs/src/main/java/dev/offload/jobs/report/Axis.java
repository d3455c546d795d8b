package dev.offload.jobs.report;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleFunction;

/**
 * One direction of a chart.
 *
 * @param end value at its end; it begins at 0
 * @param ticks what is written along it
 */
record Axis(double end, List<Tick> ticks) {
  /** Seconds between ticks of time. */
  private static final double[] TIME_STEPS = {
    1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 28_800, 43_200, 86_400
  };

  /**
   * A mark with its text.
   *
   * @param share where, 0 to 1
   */
  record Tick(double share, String text) {}

  /** Without anything written along it. */
  static Axis bare(double end) {
    return new Axis(end, List.of());
  }

  /** Round numbers, the last of which is at least the largest value. */
  static Axis ofNumbers(double largest, int steps) {
    double step = roundUp(Math.max(largest, 1e-9) / steps);
    double end = Math.ceil(largest / step - 1e-9) * step;
    return every(step, Math.max(end, step), Words::number);
  }

  /** Whole numbers only. */
  static Axis ofCounts(long largest, int steps) {
    double step = Math.max(1, roundUp((double) largest / steps));
    double end = Math.ceil(largest / step - 1e-9) * step;
    return every(step, Math.max(end, step), value -> Words.count(Math.round(value)));
  }

  /** A span of time from 0. */
  static Axis ofSeconds(double end, int steps) {
    if (end < steps) {
      return every(roundUp(end / steps), end, value -> value == 0 ? "0" : Words.time(value));
    }
    double step = Math.ceil(end / steps / 86_400) * 86_400;
    for (int i = TIME_STEPS.length - 1; i >= 0; i--) {
      step = TIME_STEPS[i] * steps >= end ? TIME_STEPS[i] : step;
    }
    return every(step, end, Axis::clock);
  }

  private static String clock(double value) {
    long seconds = Math.round(value);
    if (seconds < 60) {
      return seconds == 0 ? "0" : seconds + " s";
    }
    return seconds < 3600
        ? "%d:%02d".formatted(seconds / 60, seconds % 60)
        : "%d:%02d:%02d".formatted(seconds / 3600, seconds % 3600 / 60, seconds % 60);
  }

  private static Axis every(double step, double end, DoubleFunction<String> text) {
    List<Tick> ticks = new ArrayList<>();
    for (int i = 0; i * step <= end * (1 + 1e-9); i++) {
      ticks.add(new Tick(Math.min(1, i * step / end), text.apply(i * step)));
    }
    return new Axis(end, List.copyOf(ticks));
  }

  /** The next larger of 1, 2 and 5 times a power of ten. */
  private static double roundUp(double value) {
    double power = Math.pow(10, Math.floor(Math.log10(value)));
    for (double factor : new double[] {1, 2, 5}) {
      if (factor * power >= value * (1 - 1e-9)) {
        return factor * power;
      }
    }
    return 10 * power;
  }
}
