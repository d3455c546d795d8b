package dev.offload.jobs.report;

import dev.offload.jobs.report.JobReport.OverTime;
import java.util.ArrayList;
import java.util.List;

/**
 * Equal parts of a run, few enough to be looked at.
 *
 * @param merged how many of the recorded intervals are one of these
 * @param seconds length of one; the last may be shorter
 * @param wallSeconds length of all together
 */
record Intervals(int merged, double seconds, double wallSeconds) {
  private static final int MOST = 160;

  static Intervals of(OverTime time) {
    int merged = Math.max(1, (time.sequences().size() + MOST - 1) / MOST);
    return new Intervals(merged, merged * time.intervalSeconds(), time.wallSeconds());
  }

  /** The means of recorded values, weighted by the length of their intervals. */
  List<Double> coarse(List<Double> fine) {
    double fineSeconds = seconds / merged;
    List<Double> means = new ArrayList<>();
    for (int first = 0; first < fine.size(); first += merged) {
      double sum = 0;
      double length = 0;
      for (int i = first; i < Math.min(first + merged, fine.size()); i++) {
        double covered = Math.min(fineSeconds, wallSeconds - i * fineSeconds);
        sum += fine.get(i) * covered;
        length += covered;
      }
      means.add(sum / length);
    }
    return means;
  }

  /** Where an interval begins, for people. */
  String at(int interval) {
    return Words.time(interval * seconds);
  }

  /** What is shown when a pointer is over an interval of a chart. */
  void hover(Plot plot, int interval, String text) {
    double right = Math.min(wallSeconds, (interval + 1) * seconds);
    plot.column("hover", interval * seconds, right, text);
  }
}
