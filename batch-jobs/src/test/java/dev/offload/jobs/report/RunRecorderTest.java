package dev.offload.jobs.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.jobs.report.JobReport.ErrorKind;
import dev.offload.jobs.report.JobReport.Lengths;
import dev.offload.jobs.report.JobReport.OverTime;
import dev.offload.planner.Lane;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RunRecorderTest {
  private static final List<Lane> LANES = List.of(Lane.GPU, Lane.DISK);
  private final RunRecorder recorder = new RunRecorder();

  @Test
  void shouldTellWhatHappenedWhen() {
    // 0.1 s with 20 prompt tokens, the device busy for half of it; then 0.05 s with 3 tokens.
    recorder.progress(SampleReports.progress(1, 20, 0, 2, 100, Map.of(Lane.GPU, 0.5)));
    recorder.progress(SampleReports.progress(2, 20, 3, 4, 150, Map.of(Lane.GPU, 2.0 / 3)));
    OverTime time = recorder.overTime(LANES);
    assertEquals(0.05, time.intervalSeconds());
    assertEquals(0.15, time.wallSeconds());
    assertClose(List.of(200.0, 200.0, 0.0), time.prefillTokensPerSecond());
    assertClose(List.of(0.0, 0.0, 60.0), time.decodeTokensPerSecond());
    assertClose(List.of(2.0, 2.0, 4.0), time.sequences());
    assertClose(List.of(0.5, 0.5, 1.0), time.busyShares().get("gpu"));
    assertClose(List.of(0.0, 0.0, 0.0), time.busyShares().get("disk"));
  }

  /** A run of almost a year: few intervals, and not a token lost. */
  @ParameterizedTest
  @CsvSource({"10, 1000", "1000, 5000", "3600000, 8000", "30000000000, 1"})
  void shouldKeepFewIntervalsAndEveryToken(long passMillis, int passes) {
    for (int pass = 1; pass <= passes; pass++) {
      recorder.progress(
          SampleReports.progress(
              pass, 7L * pass, 3L * pass, 5, pass * passMillis, Map.of(Lane.GPU, 0.25)));
    }
    OverTime time = recorder.overTime(LANES);
    int intervals = time.sequences().size();
    assertTrue(intervals <= WorkSeries.MOST, intervals + " intervals");
    assertTrue(intervals >= WorkSeries.MOST / 4 || passes < 2000, intervals + " intervals");
    double wall = passes * passMillis / 1e3;
    assertEquals(wall, time.wallSeconds(), 1e-6);
    assertEquals(7.0 * passes, sum(time.prefillTokensPerSecond(), time), 1e-6 * passes + 1e-9);
    assertEquals(3.0 * passes, sum(time.decodeTokensPerSecond(), time), 1e-6 * passes + 1e-9);
    for (double share : time.busyShares().get("gpu")) {
      assertEquals(0.25, share, 1e-6);
    }
  }

  private static double sum(List<Double> rates, OverTime time) {
    double sum = 0;
    for (int i = 0; i < rates.size(); i++) {
      double left = time.wallSeconds() - i * time.intervalSeconds();
      sum += rates.get(i) * Math.min(time.intervalSeconds(), left);
    }
    return sum;
  }

  @Test
  void shouldCountLengths() {
    for (int tokens = 0; tokens < 100; tokens++) {
      recorder.output(tokens);
    }
    recorder.answered(7);
    Lengths outputs = recorder.outputs();
    assertEquals(new Lengths(100, 4950, 0, 99, 49, 89, 98, 1, 0, outputs.counts()), outputs);
    assertEquals(100, outputs.counts().size());
    assertEquals(new Lengths(1, 7, 7, 7, 7, 7, 7, 1, 7, List.of(1L)), recorder.prompts());
    assertEquals(0, new RunRecorder().outputs().count());
  }

  @Test
  void shouldWidenBucketsForLongLengths() {
    recorder.output(3);
    recorder.output(4000);
    recorder.output(100_000);
    recorder.output(Integer.MAX_VALUE);
    Lengths outputs = recorder.outputs();
    assertTrue(outputs.counts().size() <= LengthCounts.MOST, outputs.toString());
    assertEquals(4, outputs.counts().stream().mapToLong(Long::longValue).sum());
    assertEquals(3, outputs.shortest());
    assertEquals(Integer.MAX_VALUE, outputs.longest());
    assertEquals(Integer.MAX_VALUE, outputs.percentile99());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "id \"x\" was given before, on line 17 | id “…” was given before, on line #",
        "id \"a \\\" b\" was given | id “…” was given",
        "'a' begins 'b' 1.5 times | “…” begins “…” # times",
        "the row's tokens aren't 12,345 | the row's tokens aren't #",
        "an open \"quote 5 | an open \"quote #",
      })
  void shouldGroupReasons(String reason, String kind) {
    assertEquals(kind, ErrorKinds.kind(reason));
  }

  @Test
  void shouldCountKindsOfErrorsAndKeepFew() {
    for (int line = 1; line <= 3; line++) {
      recorder.refused(line, "id \"%d\" was given before".formatted(line));
    }
    for (int i = 0; i < 1000; i++) {
      recorder.refused(10 + i, "reason " + "x".repeat(i));
    }
    List<ErrorKind> kinds = recorder.errors();
    assertEquals(ErrorKinds.MOST + 1, kinds.size());
    assertEquals(ErrorKinds.OTHER, kinds.getFirst().kind());
    assertEquals(951, kinds.getFirst().count());
    assertEquals(
        new ErrorKind("id “…” was given before", 3, 1, "id \"1\" was given before"), kinds.get(1));
    assertEquals(1003, recorder.refused());
  }

  /** Reasons quote rows, whoever wrote them. */
  @Test
  void shouldGroupLongReasonsQuickly() {
    String hostile = "\"" + "\\".repeat(1 << 20) + "'".repeat(1 << 20);
    for (int i = 0; i < 100; i++) {
      recorder.refused(i, hostile);
    }
    assertEquals(1, recorder.errors().size());
    assertTrue(recorder.errors().getFirst().example().length() < 1000);
    recorder.refused(1, "x".repeat(399) + "\uD83D\uDE00 and more");
    assertEquals("x".repeat(399) + "…", recorder.errors().getLast().example());
  }

  @Test
  void shouldMeasureHowLongRowsAreWaitedForAfterTheFirstPass() {
    Supplier<String> rows =
        () -> {
          sleep(20);
          return "row";
        };
    assertEquals("row", recorder.timed(rows));
    assertEquals(0, recorder.waitNanos());
    recorder.progress(SampleReports.progress(1, 1, 1, 1, 1000, Map.of()));
    assertEquals("row", recorder.timed(rows));
    assertTrue(recorder.waitNanos() >= 20_000_000, recorder.waitNanos() + " ns");
  }

  private static void sleep(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static void assertClose(List<Double> expected, List<Double> found) {
    assertEquals(expected.size(), found.size(), found.toString());
    for (int i = 0; i < expected.size(); i++) {
      assertEquals(expected.get(i), found.get(i), 1e-6, found.toString());
    }
  }
}
