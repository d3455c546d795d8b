package dev.offload.jobs.journal;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Takes finished rows from any thread and puts them into the journal in groups, one wait for the
 * disk per group. A row counts as finished when the listener hears of it, which is after its group
 * is on disk. {@link #doWork} belongs to one thread, which also owns the journal and the output.
 */
public final class GroupCommit {
  private static final int QUEUED_ROWS = 4096;

  /** How long rows gather before they are forced to disk. */
  private static final long GATHER_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private final BlockingQueue<Finished> queue = new ArrayBlockingQueue<>(QUEUED_ROWS);
  private final Journal journal;
  private final OrderedOutput output;
  private final Listener listener;

  /**
   * @param listener hears of rows that are on disk
   */
  public GroupCommit(Journal journal, OrderedOutput output, Listener listener) {
    this.journal = journal;
    this.output = output;
    this.listener = listener;
  }

  /**
   * Hands a row over, waiting while {@value #QUEUED_ROWS} rows are ahead of it.
   *
   * @param line makes the line of the output or error file, called by the working thread
   * @return false if the queue stayed full for as long as given
   */
  public boolean offer(long row, RecordKind kind, Supplier<byte[]> line, long time, TimeUnit unit)
      throws InterruptedException {
    return queue.offer(new Finished(row, kind, line), time, unit);
  }

  /**
   * Waits for a row, gathers those that come shortly after, and puts them all on disk.
   *
   * @param waitNanos longest wait for the first row
   * @param gather false to take only what is there already
   * @return how many rows
   */
  public int doWork(long waitNanos, boolean gather) throws IOException, InterruptedException {
    Finished first = queue.poll(waitNanos, TimeUnit.NANOSECONDS);
    if (first == null) {
      return 0;
    }
    List<Finished> group = new ArrayList<>();
    group.add(first);
    queue.drainTo(group);
    long end = System.nanoTime() + (gather ? GATHER_NANOS : 0);
    while (gather && group.size() < QUEUED_ROWS) {
      Finished next = queue.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
      if (next == null) {
        break;
      }
      group.add(next);
    }
    commit(group);
    return group.size();
  }

  private void commit(List<Finished> group) throws IOException {
    for (Finished each : group) {
      if (output.has(each.row)) {
        throw new IllegalStateException("row " + each.row + " was finished twice");
      }
      output.add(each.row, journal.append(each.row, each.kind, each.line.get()));
    }
    journal.force();
    output.advance(journal);
    for (Finished each : group) {
      listener.onDisk(each.row, each.kind);
    }
  }

  private record Finished(long row, RecordKind kind, Supplier<byte[]> line) {}

  /** Hears of rows that are on disk. */
  @FunctionalInterface
  public interface Listener {
    void onDisk(long row, RecordKind kind);
  }
}
