package dev.offload.jobs;

import dev.offload.jobs.journal.GroupCommit;
import dev.offload.jobs.journal.RecordKind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Runs a group commit on a thread of its own; hands its failure to whoever brings the next row. */
final class Committer implements AutoCloseable {
  private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private final GroupCommit commit;
  private final Thread thread;
  private volatile boolean finishing;
  private volatile Throwable failure;

  Committer(GroupCommit commit) {
    this.commit = commit;
    this.thread = Thread.ofPlatform().name("offload-commit").daemon().unstarted(this::work);
  }

  void start() {
    thread.start();
  }

  /**
   * Hands a row over.
   *
   * @throws UncheckedIOException if rows cannot be written any more
   */
  void put(long row, RecordKind kind, Supplier<byte[]> line) {
    try {
      while (!commit.offer(row, kind, line, POLL_NANOS, TimeUnit.NANOSECONDS)) {
        rethrow();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while row " + row + " waited for the disk", e);
    }
    rethrow();
  }

  /** Returns when all rows handed over are on disk. */
  void finish() throws InterruptedException {
    finishing = true;
    thread.join();
    rethrow();
  }

  private void work() {
    try {
      while (true) {
        boolean last = finishing;
        if (commit.doWork(last ? 0 : POLL_NANOS, !last) == 0 && last) {
          return;
        }
      }
    } catch (Throwable e) {
      failure = e;
    }
  }

  private void rethrow() {
    switch (failure) {
      case null -> {}
      case IOException e -> throw new UncheckedIOException(e);
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new IllegalStateException("writing finished rows failed", failure);
    }
  }

  /** Ends the thread, after what is queued has been written if that is possible. */
  @Override
  public void close() {
    finishing = true;
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
