package dev.offload.jobs;

import dev.offload.engine.Progress;
import dev.offload.jobs.journal.OutputForm;
import dev.offload.jobs.report.RunRecorder;
import dev.offload.jobs.rows.BadRow;
import dev.offload.jobs.rows.Incoming;
import dev.offload.jobs.rows.RowException;
import dev.offload.jobs.rows.RowReader;
import java.io.IOException;
import java.util.function.Consumer;
import java.util.function.LongPredicate;

/**
 * What a job does with its rows. Whoever runs it reads, computes and writes on three threads; each
 * method says whose it is.
 *
 * @param <R> a checked row
 * @param <Q> what the engine is asked for a row
 * @param <A> what it answers
 */
interface RowTask<R extends Incoming, Q, A> {
  /**
   * Opens the rows, which the caller closes.
   *
   * @param skipped rows that were finished before
   * @param refused takes rows that cannot be worked on
   */
  RowReader<R> openRows(LongPredicate skipped, Consumer<BadRow> refused) throws IOException;

  /** Asks for a row; called by the thread that reads. */
  Q request(R row) throws RowException;

  /** Tokens of a request's prompt. */
  int promptTokens(Q request);

  /** Answers all requests of the source, and returns when the last answer was handed over. */
  void run(Requests<Q> source, Consumer<A> sink, Progress.Listener listener);

  /** The row that an answer belongs to, by its number. */
  long row(A answer);

  /** Tells how long prompt and outputs of an answer were. */
  void record(A answer, RunRecorder recorder);

  /** The line of the output file; called by the thread that writes. */
  byte[] line(R row, Q request, A answer);

  /** The line of the error file; called by the thread that writes. */
  byte[] line(BadRow bad);

  /** What becomes of the lines once all are there. */
  OutputForm form();
}
