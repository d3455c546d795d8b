package dev.offload.jobs.report;

import dev.offload.engine.Progress;
import dev.offload.jobs.report.JobReport.OverTime;
import dev.offload.planner.Lane;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What happened in each of at most {@value #MOST} intervals of a run. When the run outgrows them,
 * two become one, so that memory stays the same however long it takes.
 */
final class WorkSeries {
  static final int MOST = 480;
  private static final long FIRST_INTERVAL_NANOS = 50_000_000;

  private static final int PROMPT = 0;
  private static final int GENERATED = 1;

  /** Sequences times nanoseconds. */
  private static final int SEQUENCES = 2;

  /** The first of the lanes' busy nanoseconds. */
  private static final int LANES = 3;

  private static final List<Lane> ALL_LANES = List.of(Lane.values());

  private final double[][] sums = new double[LANES + ALL_LANES.size()][MOST];
  private final double[] before = new double[LANES + ALL_LANES.size()];
  private long intervalNanos = FIRST_INTERVAL_NANOS;
  private long end;

  /** A pass has ended; what came since the last one is spread evenly over the time since then. */
  void add(Progress progress) {
    long begin = end;
    end = Math.max(begin, progress.elapsedNanos());
    while (end > intervalNanos * MOST) {
      halve();
    }
    add(begin, PROMPT, (double) progress.promptTokens());
    add(begin, GENERATED, (double) progress.generatedTokens());
    add(begin, SEQUENCES, before[SEQUENCES] + (double) progress.sequencesRunning() * (end - begin));
    for (int lane = 0; lane < ALL_LANES.size(); lane++) {
      double share = progress.busyShares().getOrDefault(ALL_LANES.get(lane), 0.0);
      add(begin, LANES + lane, share * progress.elapsedNanos());
    }
  }

  private void add(long begin, int column, double total) {
    double more = total - before[column];
    before[column] = total;
    if (end == begin) {
      sums[column][interval(begin)] += more;
      return;
    }
    for (int i = interval(begin); i <= interval(end); i++) {
      double from = Math.max((double) begin, (double) i * intervalNanos);
      double to = Math.min((double) end, (i + 1.0) * intervalNanos);
      sums[column][i] += more * (to - from) / (end - begin);
    }
  }

  private int interval(long nanos) {
    return (int) Math.min(MOST - 1, nanos / intervalNanos);
  }

  private void halve() {
    for (double[] column : sums) {
      for (int i = 0; i < MOST / 2; i++) {
        column[i] = column[2 * i] + column[2 * i + 1];
      }
      Arrays.fill(column, MOST / 2, MOST, 0);
    }
    intervalNanos *= 2;
  }

  /**
   * What was added.
   *
   * @param lanes which, and in which order
   */
  OverTime overTime(List<Lane> lanes) {
    Map<String, List<Double>> shares = new LinkedHashMap<>();
    for (Lane lane : lanes) {
      shares.put(
          lane.name().toLowerCase(Locale.ROOT),
          perNano(LANES + ALL_LANES.indexOf(lane)).stream()
              .map(share -> Math.clamp(share, 0.0, 1.0))
              .toList());
    }
    return new OverTime(
        intervalNanos / 1e9,
        end / 1e9,
        perNano(PROMPT).stream().map(rate -> rate * 1e9).toList(),
        perNano(GENERATED).stream().map(rate -> rate * 1e9).toList(),
        perNano(SEQUENCES),
        shares);
  }

  private List<Double> perNano(int column) {
    List<Double> values = new ArrayList<>();
    for (int i = 0; (long) i * intervalNanos < end; i++) {
      long covered = Math.min(intervalNanos, end - i * intervalNanos);
      values.add(sums[column][i] / covered);
    }
    return values;
  }
}
