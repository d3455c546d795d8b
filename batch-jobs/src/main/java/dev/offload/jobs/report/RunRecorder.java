package dev.offload.jobs.report;

import dev.offload.engine.Progress;
import dev.offload.jobs.report.JobReport.ErrorKind;
import dev.offload.jobs.report.JobReport.Lengths;
import dev.offload.jobs.report.JobReport.OverTime;
import dev.offload.planner.Lane;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Listens to one run, for its report, in memory that does not grow with it. Owned by the thread
 * that runs the engine; only refused rows are told by others too.
 */
public final class RunRecorder implements Progress.Listener {
  private final WorkSeries series = new WorkSeries();
  private final LengthCounts prompts = new LengthCounts();
  private final LengthCounts outputs = new LengthCounts();
  private final ErrorKinds errors = new ErrorKinds();
  private Optional<Progress> last = Optional.empty();
  private long answered;
  private long waitNanos;

  /** A pass has ended. */
  @Override
  public void progress(Progress progress) {
    series.add(progress);
    last = Optional.of(progress);
  }

  /** A row was answered. */
  public void answered(int promptTokens) {
    answered++;
    prompts.add(promptTokens);
  }

  /** It got an output of so many tokens; it may have several. */
  public void output(int tokens) {
    outputs.add(tokens);
  }

  /** A row was refused. Any thread may tell. */
  public void refused(long line, String reason) {
    errors.add(line, reason);
  }

  /**
   * Gets something about rows, and counts how long that is waited for; not before the first pass,
   * when nothing stands still yet.
   */
  public <T> T timed(Supplier<T> rows) {
    long begin = System.nanoTime();
    T got = rows.get();
    if (last.isPresent()) {
      waitNanos += System.nanoTime() - begin;
    }
    return got;
  }

  /** How far the engine has come; empty before its first pass. */
  Optional<Progress> last() {
    return last;
  }

  /** Rows that were answered. */
  long answered() {
    return answered;
  }

  /** Rows that were refused. */
  long refused() {
    return errors().stream().mapToLong(ErrorKind::count).sum();
  }

  /** How long the engine waited for rows after its first pass. */
  long waitNanos() {
    return waitNanos;
  }

  /** How long prompts were. */
  Lengths prompts() {
    return prompts.lengths();
  }

  /** How long outputs were. */
  Lengths outputs() {
    return outputs.lengths();
  }

  /** Why rows were refused. */
  List<ErrorKind> errors() {
    return errors.kinds();
  }

  /** What happened when. */
  OverTime overTime(List<Lane> lanes) {
    return series.overTime(lanes);
  }
}
