package dev.offload.jobs.report;

import dev.offload.engine.Progress;
import dev.offload.engine.RunReport;
import dev.offload.jobs.report.JobReport.Job;
import dev.offload.jobs.report.JobReport.LaneShare;
import dev.offload.jobs.report.JobReport.Machine;
import dev.offload.jobs.report.JobReport.Memory;
import dev.offload.jobs.report.JobReport.Rows;
import dev.offload.jobs.report.JobReport.TaskSpan;
import dev.offload.jobs.report.JobReport.Timeline;
import dev.offload.jobs.report.JobReport.Work;
import dev.offload.planner.Lane;
import dev.offload.planner.PassTimeline;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Puts a report together from what was recorded and what the engine tells at the end. */
public final class ReportMaker {
  private static final Progress NOTHING =
      new Progress(
          0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, Map.of(), new RunReport.Flight(0, 0, 0, 0, 0, 0, 0));

  private ReportMaker() {}

  /**
   * What the engine and the machine tell at the end.
   *
   * @param roomForSequences most that a pass may have
   * @param timeline a typical pass
   */
  public record EngineFacts(
      Machine machine, Memory memory, int roomForSequences, Optional<PassTimeline> timeline) {}

  /**
   * The report.
   *
   * @param resumed rows that were finished before this start
   * @param resumedRefused those of them that were refused
   */
  public static JobReport report(
      Job job,
      RunRecorder recorder,
      long resumed,
      long resumedRefused,
      EngineFacts engine,
      Optional<LabelScores> labels) {
    Progress last = recorder.last().orElse(NOTHING);
    Rows rows =
        new Rows(
            recorder.answered() + resumed - resumedRefused,
            recorder.refused() + resumedRefused,
            resumed,
            resumedRefused);
    Work work = work(last, recorder, engine.roomForSequences());
    List<LaneShare> lanes = lanes(last);
    return new JobReport(
        job,
        engine.machine(),
        rows,
        work,
        lanes,
        engine.memory(),
        recorder.overTime(busiestFirst(last)),
        engine.timeline().map(ReportMaker::timeline),
        recorder.prompts(),
        recorder.outputs(),
        recorder.errors(),
        Verdict.of(work, lanes, engine.memory()),
        labels);
  }

  private static Work work(Progress last, RunRecorder recorder, int roomForSequences) {
    return new Work(
        last.passes(),
        last.promptTokens(),
        last.sharedPromptTokens(),
        last.generatedTokens(),
        last.flight().recomputedTokens(),
        last.flight().preemptions(),
        last.flight().swappedBytes() + last.flight().diskSwappedBytes(),
        last.flight().meanSequences(),
        last.flight().mostSequences(),
        roomForSequences,
        last.elapsedNanos() / 1e9,
        last.prefillNanos() / 1e9,
        last.decodeNanos() / 1e9,
        last.choosingNanos() / 1e9,
        Math.min(last.elapsedNanos(), recorder.waitNanos()) / 1e9,
        rate(last.promptTokens() + last.generatedTokens(), last.elapsedNanos()),
        rate(last.promptTokens(), last.prefillNanos()),
        rate(last.generatedTokens(), last.decodeNanos()),
        last.diskBytes());
  }

  private static double rate(long tokens, long nanos) {
    return nanos == 0 ? 0 : tokens * 1e9 / nanos;
  }

  private static List<LaneShare> lanes(Progress last) {
    return busiestFirst(last).stream()
        .map(lane -> new LaneShare(name(lane), Math.clamp(last.busyShares().get(lane), 0.0, 1.0)))
        .toList();
  }

  private static List<Lane> busiestFirst(Progress last) {
    Map<Lane, Double> shares = new EnumMap<>(Lane.class);
    shares.putAll(last.busyShares());
    Comparator<Map.Entry<Lane, Double>> byShare = Map.Entry.comparingByValue();
    return shares.entrySet().stream().sorted(byShare.reversed()).map(Map.Entry::getKey).toList();
  }

  /** A pass as reports show it. */
  public static Timeline timeline(PassTimeline pass) {
    return new Timeline(
        pass.pass(),
        pass.sequences(),
        pass.tokens(),
        pass.promptTokens(),
        pass.nanos(),
        pass.spans().stream()
            .map(s -> new TaskSpan(name(s.lane()), s.task(), s.beginNanos(), s.endNanos()))
            .toList());
  }

  private static String name(Lane lane) {
    return lane.name().toLowerCase(Locale.ROOT);
  }
}
