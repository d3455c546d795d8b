package dev.offload.jobs;

import dev.offload.jobs.journal.GroupCommit;
import dev.offload.jobs.journal.RecordKind;
import dev.offload.jobs.rows.BadRow;
import dev.offload.jobs.rows.Incoming;
import java.io.IOException;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * One run over a file of rows: reads and tokenizes on one thread, computes on the caller's, writes
 * on a third, and gives the outputs their names at the end.
 *
 * @param <R> a checked row
 * @param <Q> what the engine is asked for a row
 * @param <A> what it answers
 */
final class Job<R extends Incoming, Q, A> {
  private final JobState state;
  private final RowTask<R, Q, A> task;
  private final Reporting reporting;

  Job(JobState state, RowTask<R, Q, A> task, Reporting reporting) {
    this.state = state;
    this.task = task;
    this.reporting = reporting;
  }

  /** Without reports. */
  Job(JobState state, RowTask<R, Q, A> task) {
    this(state, task, Reporting.none());
  }

  /**
   * Answers all rows that were not finished before.
   *
   * @param watcher is shown the run's counters before the first row
   * @throws JobStopped if {@link JobCounters#stop} was called; the finished rows are in the journal
   */
  JobOutcome run(Consumer<JobCounters> watcher) throws IOException, InterruptedException {
    Reporting.Before before =
        new Reporting.Before(state.finishedBefore(), state.output().errorRows());
    JobCounters counters = new JobCounters(before.rows(), before.refused());
    GroupCommit commit = new GroupCommit(state.journal(), state.output(), counters);
    try (Committer committer = new Committer(commit);
        RowFeed<R, Q> feed = openFeed(bad -> refuse(committer, bad))) {
      counters.watch(feed);
      watcher.accept(counters);
      committer.start();
      feed.start();
      try {
        task.run(
            timed(feed),
            answer -> finish(committer, feed, answer),
            progress -> {
              reporting.recorder().progress(progress);
              counters.progress(progress);
            });
      } catch (JobStopped e) {
        committer.finish();
        reporting.write(before, false);
        throw e;
      }
      committer.finish();
      long rows = feed.rowsRead();
      state.publish(rows, reporting.withReports(task.form(), before));
      return new JobOutcome(rows, state.output().errorRows(), state.finishedBefore());
    }
  }

  private RowFeed<R, Q> openFeed(Consumer<BadRow> refused) throws IOException {
    return new RowFeed<>(
        task.openRows(state::wasFinished, refused), task::request, task::promptTokens, refused);
  }

  /** The same requests; how long they are waited for is told to the recorder. */
  private Requests<Q> timed(Requests<Q> requests) {
    return new Requests<>() {
      @Override
      public Optional<Q> next() {
        return reporting.recorder().timed(requests::next);
      }

      @Override
      public boolean hasMoreNow() {
        return reporting.recorder().timed(requests::hasMoreNow);
      }
    };
  }

  private void finish(Committer committer, RowFeed<R, Q> feed, A answer) {
    task.record(answer, reporting.recorder());
    RowFeed.Asked<R, Q> asked = feed.take(task.row(answer));
    committer.put(
        task.row(answer), RecordKind.ANSWER, () -> task.line(asked.row(), asked.request(), answer));
  }

  private void refuse(Committer committer, BadRow bad) {
    reporting.recorder().refused(bad.key().line(), bad.reason());
    committer.put(bad.key().row(), RecordKind.ERROR, () -> task.line(bad));
  }
}
