package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.offload.engine.Progress;
import dev.offload.engine.RunReport;
import dev.offload.jobs.journal.RecordKind;
import dev.offload.planner.Lane;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ProgressLineTest {

  @Test
  void shouldShowRowsSpeedAndBottleneck() {
    JobCounters counters = new JobCounters(10, 1);
    counters.onDisk(11, RecordKind.ANSWER);
    counters.onDisk(10, RecordKind.ERROR);
    counters.progress(
        new Progress(
            7,
            1,
            3,
            2000,
            0,
            500,
            2_000_000_000L,
            0,
            0,
            0,
            0,
            Map.of(Lane.GPU, 0.5, Lane.H2D, 0.97),
            new RunReport.Flight(3, 3, 0, 0, 0, 0, 0)));
    assertEquals(
        "rows 12/12 (2 failed)  prefill 1000 tok/s  decode 250 tok/s  busiest h2d 97 %",
        new ProgressLine(100).text(counters, Duration.ofSeconds(4)));
  }
}
