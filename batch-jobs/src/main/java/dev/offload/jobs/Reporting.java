package dev.offload.jobs;

import dev.offload.jobs.journal.OutputForm;
import dev.offload.jobs.report.JobReport;
import dev.offload.jobs.report.LabelScores;
import dev.offload.jobs.report.ReportMaker;
import dev.offload.jobs.report.RunRecorder;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The reports that were asked for with one job: records its run and writes them at the end, before
 * the output gets its name, so that a job that has ended has its reports.
 */
final class Reporting {
  private final List<ReportFile> files;
  private final String command;
  private final Map<String, String> settings;
  private final Instant begun = Instant.now().truncatedTo(ChronoUnit.SECONDS);
  private final RunRecorder recorder = new RunRecorder();
  private Optional<LabelScores> labels = Optional.empty();
  private Supplier<ReportMaker.EngineFacts> engine =
      () -> {
        throw new IllegalStateException("a report needs an engine");
      };

  /**
   * @param files where to write; may be none
   * @param command its name
   * @param settings what to tell of files and options
   */
  Reporting(List<ReportFile> files, String command, Map<String, String> settings) {
    this.files = List.copyOf(files);
    this.command = command;
    this.settings = settings;
  }

  /** For a job of which nobody wants a report. */
  static Reporting none() {
    return new Reporting(List.of(), "", Map.of());
  }

  /** The engine that will run the job; must be open while reports are written. */
  Reporting of(EngineGenerator generator) {
    engine = generator::facts;
    return this;
  }

  /** Whether there is a report to write. */
  boolean isWanted() {
    return !files.isEmpty();
  }

  /** What listens to the run. */
  RunRecorder recorder() {
    return recorder;
  }

  /** How right labels were; to be told before the output has its form. */
  void labels(LabelScores scores) {
    labels = Optional.of(scores);
  }

  /** The same form, with the reports written as soon as the output is made. */
  OutputForm withReports(OutputForm form, Before before) {
    return lines -> {
      Path whole = form.whole(lines);
      write(before, true);
      return whole;
    };
  }

  /** Writes the reports. */
  void write(Before before, boolean finished) throws IOException {
    if (files.isEmpty()) {
      return;
    }
    JobReport report =
        ReportMaker.report(
            new JobReport.Job(Version.number(), command, begun.toString(), finished, settings),
            recorder,
            before.rows(),
            before.refused(),
            engine.get(),
            labels);
    for (ReportFile file : files) {
      file.write(report);
    }
  }

  /**
   * What was finished before this start.
   *
   * @param rows how many rows
   * @param refused those of them that were refused
   */
  record Before(long rows, long refused) {}
}
