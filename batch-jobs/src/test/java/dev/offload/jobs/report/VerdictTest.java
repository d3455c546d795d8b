package dev.offload.jobs.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.jobs.report.JobReport.LaneShare;
import dev.offload.jobs.report.JobReport.Work;
import java.util.List;
import org.junit.jupiter.api.Test;

class VerdictTest {
  @Test
  void shouldBlameTheBusiestLane() {
    Verdict disk = verdict("disk", 0.93, work(100, 120, 1, 1));
    assertEquals("disk", disk.bound());
    assertTrue(disk.sentence().contains("93 %"), disk.sentence());
    assertTrue(disk.advice().contains("--host-memory"), disk.advice());
    assertTrue(verdict("h2d", 0.7, work(100, 120, 1, 1)).advice().contains("--device-memory"));
    Verdict gpu = verdict("gpu", 0.61, work(100, 120, 30, 30));
    assertEquals("gpu", gpu.bound());
    assertFalse(gpu.advice().contains("--kv-tokens"), gpu.advice());
  }

  @Test
  void shouldSayThatPassesAreFarFromFull() {
    Verdict gpu = verdict("gpu", 0.9, work(100, 10, 1, 1));
    assertTrue(gpu.advice().contains("10 sequences on average, of 128"), gpu.advice());
  }

  @Test
  void shouldFindOtherReasonsIfNoLaneIsBusy() {
    assertEquals("rows", verdict("gpu", 0.5, work(100, 120, 5, 30)).bound());
    assertEquals("choosing", verdict("gpu", 0.5, work(100, 120, 30, 5)).bound());
    assertEquals("waiting", verdict("gpu", 0.5, work(100, 120, 5, 5)).bound());
  }

  @Test
  void shouldWarnOfShortJobs() {
    assertFalse(verdict("gpu", 0.9, work(11, 120, 0, 0)).advice().contains("compiling"));
    assertTrue(verdict("gpu", 0.9, work(9, 120, 0, 0)).advice().contains("compiling"));
  }

  private static Verdict verdict(String lane, double share, Work work) {
    List<LaneShare> lanes = List.of(new LaneShare(lane, share), new LaneShare("cpu", 0.1));
    return Verdict.of(work, lanes, SampleReports.engine().memory());
  }

  private static Work work(double wall, double sequences, double choosing, double rowWait) {
    return new Work(
        10, 1, 0, 1, 0, 0, 0, sequences, 128, 128, wall, 1, 1, choosing, rowWait, 1, 1, 1, 1 << 30);
  }
}
