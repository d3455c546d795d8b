package dev.offload.jobs;

import dev.offload.engine.Progress;
import dev.offload.planner.Lane;
import java.time.Duration;
import java.util.Locale;

/** Writes how far a job has come as one line of text. */
final class ProgressLine {
  private final long inputBytes;

  /**
   * @param inputBytes size of the input
   */
  ProgressLine(long inputBytes) {
    this.inputBytes = inputBytes;
  }

  /** The line now. */
  String text(JobCounters counters, Duration elapsed) {
    long finished = counters.finishedRows();
    long rows = Math.max(finished, counters.estimatedRows(inputBytes));
    StringBuilder line = new StringBuilder(rows(counters, finished, rows));
    counters.progress().ifPresent(progress -> line.append(speed(progress)));
    long here = finished - counters.resumedRows();
    if (here > 0 && rows > finished) {
      line.append("  ETA ").append(clock(elapsed.multipliedBy(rows - finished).dividedBy(here)));
    }
    return line.toString();
  }

  private static String rows(JobCounters counters, long finished, long rows) {
    String failed =
        counters.failedRows() == 0 ? "" : " (%d failed)".formatted(counters.failedRows());
    return "rows %d/%d%s".formatted(finished, rows, failed);
  }

  private static String speed(Progress progress) {
    double seconds = Math.max(1, progress.elapsedNanos()) / 1e9;
    Lane busiest = progress.bottleneck();
    return "  prefill %.0f tok/s  decode %.0f tok/s  busiest %s %.0f %%"
        .formatted(
            progress.promptTokens() / seconds,
            progress.generatedTokens() / seconds,
            busiest.name().toLowerCase(Locale.ROOT),
            100 * progress.busyShares().getOrDefault(busiest, 0.0));
  }

  private static String clock(Duration time) {
    return time.toHours() > 0
        ? "%d:%02d:%02d".formatted(time.toHours(), time.toMinutesPart(), time.toSecondsPart())
        : "%d:%02d".formatted(time.toMinutes(), time.toSecondsPart());
  }
}
