package dev.offload.jobs.report;

import dev.offload.engine.Progress;
import dev.offload.engine.RunReport.Flight;
import dev.offload.jobs.labels.Confusion;
import dev.offload.jobs.report.JobReport.Homes;
import dev.offload.jobs.report.JobReport.Machine;
import dev.offload.jobs.report.JobReport.Memory;
import dev.offload.jobs.report.JobReport.Peak;
import dev.offload.planner.Lane;
import dev.offload.planner.PassTimeline;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reports that no job was needed for. */
public final class SampleReports {
  private SampleReports() {}

  /** After some passes. */
  static Progress progress(
      long passes,
      long prompt,
      long generated,
      int sequences,
      long millis,
      Map<Lane, Double> busy) {
    long nanos = millis * 1_000_000;
    return new Progress(
        passes,
        0,
        sequences,
        prompt,
        3,
        generated,
        nanos,
        nanos / 4,
        nanos / 2,
        nanos / 50,
        1 << 20,
        busy,
        new Flight(sequences, sequences, 2, 17, 1 << 20, 0, 5));
  }

  /** What an engine would tell. */
  static ReportMaker.EngineFacts engine() {
    return new ReportMaker.EngineFacts(
        new Machine("AMD EPYC", "oneDNN with AVX2", 2, 2, 1L << 34, "Linux amd64", "25"),
        new Memory(
            "float32",
            new Homes(1 << 20, 2 << 20, 3 << 20),
            new Homes(1 << 19, 0, 0),
            1 << 18,
            1 << 18,
            1,
            512,
            new Peak(3 << 20, 4 << 20),
            new Peak(2 << 20, 4 << 20)),
        128,
        Optional.of(
            new PassTimeline(
                8,
                3,
                3,
                0,
                4_000_000,
                List.of(
                    new PassTimeline.Span(Lane.DISK, "read experts 0 to 3, layer 1", 0, 900_000),
                    new PassTimeline.Span(
                        Lane.H2D, "copy experts 0 to 3, layer 1", 900_000, 1_500_000),
                    new PassTimeline.Span(
                        Lane.GPU, "experts 0 to 3, layer 1", 1_500_000, 3_600_000),
                    new PassTimeline.Span(Lane.D2H, "largest logits", 3_599_990, 3_600_000)))));
  }

  /** A labeling job in which every text from outside is the given one, behind a number. */
  public static JobReport labeled(String text) {
    RunRecorder recorder = new RunRecorder();
    recorder.progress(
        progress(1, 40, 3, 3, 300, Map.of(Lane.GPU, 0.7, Lane.H2D, 0.2, Lane.DISK, 0.3)));
    recorder.progress(
        progress(2, 80, 9, 3, 500, Map.of(Lane.GPU, 0.8, Lane.H2D, 0.3, Lane.DISK, 0.2)));
    for (int i = 0; i < 3; i++) {
      recorder.answered(20 + 5 * i);
    }
    recorder.refused(4, "field is " + text);
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("model", "1" + text);
    settings.put("output", "2" + text);
    Confusion confusion = new Confusion(List.of("3" + text, "4" + text));
    confusion.add("3" + text, "3" + text);
    confusion.add("3" + text, "4" + text);
    confusion.add("5" + text, "4" + text);
    confusion.add("4" + text);
    return ReportMaker.report(
        new JobReport.Job("0.1.0", "label", "2026-01-02T03:04:05Z", true, settings),
        recorder,
        2,
        1,
        engine(),
        Optional.of(LabelScores.of(confusion)));
  }
}
