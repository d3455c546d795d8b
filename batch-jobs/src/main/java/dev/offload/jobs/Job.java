package dev.offload.jobs;

import dev.offload.jobs.journal.GroupCommit;
import dev.offload.jobs.journal.RecordKind;
import dev.offload.jobs.rows.BadRow;
import dev.offload.jobs.rows.Incoming;
import java.io.IOException;
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

  Job(JobState state, RowTask<R, Q, A> task) {
    this.state = state;
    this.task = task;
  }

  /**
   * Answers all rows that were not finished before.
   *
   * @param watcher is shown the run's counters before the first row
   * @throws JobStopped if {@link JobCounters#stop} was called; the finished rows are in the journal
   */
  JobOutcome run(Consumer<JobCounters> watcher) throws IOException, InterruptedException {
    JobCounters counters = new JobCounters(state.finishedBefore(), state.output().errorRows());
    GroupCommit commit = new GroupCommit(state.journal(), state.output(), counters);
    try (Committer committer = new Committer(commit);
        RowFeed<R, Q> feed = openFeed(bad -> refuse(committer, bad))) {
      counters.watch(feed);
      watcher.accept(counters);
      committer.start();
      feed.start();
      try {
        task.run(feed, answer -> finish(committer, feed, answer), counters);
      } catch (JobStopped e) {
        committer.finish();
        throw e;
      }
      committer.finish();
      long rows = feed.rowsRead();
      state.publish(rows, task.form());
      return new JobOutcome(rows, state.output().errorRows(), state.finishedBefore());
    }
  }

  private RowFeed<R, Q> openFeed(Consumer<BadRow> refused) throws IOException {
    return new RowFeed<>(
        task.openRows(state::wasFinished, refused), task::request, task::promptTokens, refused);
  }

  private void finish(Committer committer, RowFeed<R, Q> feed, A answer) {
    RowFeed.Asked<R, Q> asked = feed.take(task.row(answer));
    committer.put(
        task.row(answer), RecordKind.ANSWER, () -> task.line(asked.row(), asked.request(), answer));
  }

  private void refuse(Committer committer, BadRow bad) {
    committer.put(bad.key().row(), RecordKind.ERROR, () -> task.line(bad));
  }
}
