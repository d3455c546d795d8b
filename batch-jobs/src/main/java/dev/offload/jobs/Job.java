package dev.offload.jobs;

import dev.offload.jobs.journal.GroupCommit;
import dev.offload.jobs.journal.RecordKind;
import dev.offload.jobs.rows.Answers;
import dev.offload.jobs.rows.BadRow;
import dev.offload.jobs.rows.Row;
import dev.offload.jobs.rows.RowDefaults;
import dev.offload.jobs.rows.RowEncoder;
import dev.offload.jobs.rows.RowReader;
import java.io.IOException;
import java.util.function.Consumer;

/**
 * One run over a file of rows: reads and tokenizes on one thread, generates on the caller's, writes
 * on a third, and gives the outputs their names at the end.
 */
final class Job {
  private final JobFiles files;
  private final JobState state;
  private final RowDefaults defaults;
  private final Answers answers;

  /**
   * @param name short name of the job, part of OpenAI answers' ids
   */
  Job(JobFiles files, JobState state, RowDefaults defaults, String name) {
    this.files = files;
    this.state = state;
    this.defaults = defaults;
    this.answers = new Answers(name, state.journal().createdSeconds());
  }

  /**
   * Answers all rows that were not finished before.
   *
   * @param watcher is shown the run's counters before the first row
   */
  JobOutcome run(Generator generator, Consumer<JobCounters> watcher)
      throws IOException, InterruptedException {
    RowReader reader = RowReader.open(files.input(), defaults, files.folder(), state::wasFinished);
    JobCounters counters = new JobCounters(state.finishedBefore(), state.output().errorRows());
    GroupCommit commit = new GroupCommit(state.journal(), state.output(), counters);
    try (Committer committer = new Committer(commit);
        RowFeed feed =
            new RowFeed(
                reader, new RowEncoder(generator.prompts()), bad -> refuse(committer, bad))) {
      counters.watch(feed);
      watcher.accept(counters);
      committer.start();
      feed.start();
      generator.run(
          feed,
          result -> {
            Row row = feed.take(result.index());
            committer.put(result.index(), RecordKind.ANSWER, () -> answers.answer(row, result));
          },
          counters);
      committer.finish();
      long rows = feed.rowsRead();
      state.publish(rows);
      return new JobOutcome(
          rows, state.output().errorRows(), state.finishedBefore(), state.journal().droppedBytes());
    }
  }

  private void refuse(Committer committer, BadRow bad) {
    committer.put(bad.key().row(), RecordKind.ERROR, () -> answers.error(bad));
  }
}
