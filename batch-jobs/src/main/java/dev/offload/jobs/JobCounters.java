package dev.offload.jobs;

import dev.offload.engine.Progress;
import dev.offload.jobs.journal.GroupCommit;
import dev.offload.jobs.journal.RecordKind;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;

/** Counts the rows of a running job, and stops it. May be used by any thread at any time. */
final class JobCounters implements GroupCommit.Listener, Progress.Listener {
  private final long resumedRows;
  private final LongAdder finishedRows = new LongAdder();
  private final LongAdder failedRows = new LongAdder();
  private volatile RowFeed<?, ?> feed;
  private volatile Progress progress;
  private volatile boolean stopAsked;

  /**
   * @param resumedRows finished before this start
   * @param failedBefore those of them that are in the error file
   */
  JobCounters(long resumedRows, long failedBefore) {
    this.resumedRows = resumedRows;
    finishedRows.add(resumedRows);
    failedRows.add(failedBefore);
  }

  void watch(RowFeed<?, ?> feed) {
    this.feed = feed;
  }

  @Override
  public void onDisk(long row, RecordKind kind) {
    finishedRows.increment();
    if (kind == RecordKind.ERROR) {
      failedRows.increment();
    }
  }

  /**
   * Hears of a pass.
   *
   * @throws JobStopped if the run was asked to stop
   */
  @Override
  public void progress(Progress latest) {
    progress = latest;
    if (stopAsked) {
      throw new JobStopped();
    }
  }

  /** Asks the run to end after the pass it is in. */
  void stop() {
    stopAsked = true;
  }

  /** How far the engine has come; empty before its first pass. */
  Optional<Progress> progress() {
    return Optional.ofNullable(progress);
  }

  /** Rows on disk, failed ones and those of earlier starts included. */
  long finishedRows() {
    return finishedRows.sum();
  }

  /** Rows in the error file. */
  long failedRows() {
    return failedRows.sum();
  }

  /** Rows that were finished before this start. */
  long resumedRows() {
    return resumedRows;
  }

  /**
   * How many rows the file has: exact once all was read, before that by the bytes read.
   *
   * @param inputBytes size of the input
   */
  long estimatedRows(long inputBytes) {
    RowFeed<?, ?> now = feed;
    if (now == null || now.bytesRead() == 0) {
      return 0;
    }
    return now.readAll()
        ? now.rowsRead()
        : Math.round(now.rowsRead() * ((double) inputBytes / now.bytesRead()));
  }
}
