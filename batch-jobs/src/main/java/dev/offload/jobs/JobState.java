package dev.offload.jobs;

import dev.offload.jobs.journal.JobDescription;
import dev.offload.jobs.journal.Journal;
import dev.offload.jobs.journal.JournalException;
import dev.offload.jobs.journal.OrderedOutput;
import dev.offload.jobs.journal.OutputForm;
import java.io.IOException;
import java.nio.file.Files;
import java.util.BitSet;
import java.util.Optional;

/**
 * What is on disk of a job: its journal, and the output as far as it goes. Owned by one thread at a
 * time.
 */
final class JobState implements AutoCloseable {
  private final JobFiles files;
  private final Journal journal;
  private final OrderedOutput output;
  private final BitSet finished;

  private JobState(JobFiles files, Journal journal, OrderedOutput output, BitSet finished) {
    this.files = files;
    this.journal = journal;
    this.output = output;
    this.finished = finished;
  }

  /**
   * Begins or continues a job.
   *
   * @throws RefusedException if the journal belongs to another job or is damaged
   */
  static JobState open(JobFiles files, JobDescription description, StartMode mode)
      throws IOException, RefusedException {
    OrderedOutput output = OrderedOutput.open(files.output(), files.errors());
    try {
      BitSet finished = new BitSet();
      Journal journal = openJournal(files, description, mode, output, finished);
      output.advance(journal);
      return new JobState(files, journal, output, finished);
    } catch (IOException | RefusedException | RuntimeException e) {
      output.close();
      throw e;
    }
  }

  private static Journal openJournal(
      JobFiles files,
      JobDescription description,
      StartMode mode,
      OrderedOutput output,
      BitSet finished)
      throws IOException, RefusedException {
    if (mode == StartMode.RESUME && Files.exists(files.journal())) {
      Optional<Journal> journal = resume(files, description, output, finished);
      if (journal.isPresent()) {
        return journal.get();
      }
    }
    // Answers of OpenAI rows carry a time; the input's makes the same job give the same bytes.
    long created = Files.getLastModifiedTime(files.input()).toMillis() / 1000;
    return Journal.openNew(files.journal(), description, created);
  }

  private static Optional<Journal> resume(
      JobFiles files, JobDescription description, OrderedOutput output, BitSet finished)
      throws IOException, RefusedException {
    try {
      return Journal.openExisting(
          files.journal(),
          description,
          (row, kind, record) -> {
            if (row > Integer.MAX_VALUE || !output.add(row, record)) {
              throw new JournalException(
                  "row " + row + " is in it twice or out of range; begin again with --overwrite");
            }
            finished.set((int) row);
          });
    } catch (JournalException e) {
      throw new RefusedException(files.journal() + ": " + e.getMessage(), e);
    }
  }

  Journal journal() {
    return journal;
  }

  OrderedOutput output() {
    return output;
  }

  /** Whether a row was finished before this start. */
  boolean wasFinished(long row) {
    return row <= Integer.MAX_VALUE && finished.get((int) row);
  }

  /** How many rows were finished before this start. */
  int finishedBefore() {
    return finished.cardinality();
  }

  /** Gives the outputs their names and drops the journal. */
  void publish(long rows, OutputForm form) throws IOException {
    output.publish(rows, form);
    journal.delete();
  }

  /**
   * Leaves what a later start needs: nothing if no row was finished, unless there is an output that
   * was to be replaced and must not pass for this job's.
   */
  @Override
  public void close() throws IOException {
    if (journal.isEmpty() && !Files.exists(files.output())) {
      output.discard();
      journal.delete();
      return;
    }
    try (journal) {
      output.close();
    }
  }
}
