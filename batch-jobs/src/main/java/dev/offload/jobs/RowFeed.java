package dev.offload.jobs;

import dev.offload.jobs.rows.BadRow;
import dev.offload.jobs.rows.Incoming;
import dev.offload.jobs.rows.RowException;
import dev.offload.jobs.rows.RowReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * Reads and tokenizes rows on a thread of its own, a few ahead of the engine, which takes them from
 * here. Remembers each row until its answer is there.
 *
 * @param <R> a checked row
 * @param <Q> what the engine is asked for it
 */
final class RowFeed<R extends Incoming, Q> implements AutoCloseable {
  private static final int ROWS_AHEAD = 256;

  private final RowReader<R> reader;
  private final Encoder<R, Q> encoder;
  private final Consumer<BadRow> refused;
  private final BlockingQueue<Optional<Q>> ready = new ArrayBlockingQueue<>(ROWS_AHEAD);
  private final Map<Long, Asked<R, Q>> rows = new ConcurrentHashMap<>();
  private final Thread thread;
  private volatile Throwable failure;
  private volatile long rowsRead;
  private volatile long bytesRead;
  private volatile boolean readAll;
  private boolean ended;

  /**
   * @param reader closed with this feed
   * @param refused takes rows that cannot be worked on, on this feed's thread
   */
  RowFeed(RowReader<R> reader, Encoder<R, Q> encoder, Consumer<BadRow> refused) {
    this.reader = reader;
    this.encoder = encoder;
    this.refused = refused;
    this.thread = Thread.ofPlatform().name("offload-rows").daemon().unstarted(this::work);
  }

  void start() {
    thread.start();
  }

  /** The next request, or empty when there are no more. */
  Optional<Q> next() {
    if (ended) {
      return Optional.empty();
    }
    try {
      Optional<Q> request = ready.take();
      ended = request.isEmpty();
      if (ended) {
        rethrow();
      }
      return request;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for a row", e);
    }
  }

  /** The row of a finished request, which is forgotten with that. */
  Asked<R, Q> take(long index) {
    Asked<R, Q> row = rows.remove(index);
    if (row == null) {
      throw new IllegalStateException("there is no row " + index + " in the works");
    }
    return row;
  }

  /** Rows read so far; all of the file's once {@link #readAll}. */
  long rowsRead() {
    return rowsRead;
  }

  /** Bytes of the input read so far. */
  long bytesRead() {
    return bytesRead;
  }

  /** Whether the whole input was read. */
  boolean readAll() {
    return readAll;
  }

  private void work() {
    try {
      for (Optional<R> row = reader.next(); row.isPresent(); row = reader.next()) {
        hand(row.get());
        rowsRead = reader.rowsRead();
        bytesRead = reader.bytesRead();
      }
      rowsRead = reader.rowsRead();
      readAll = true;
    } catch (InterruptedException e) {
      return;
    } catch (Throwable e) {
      failure = e;
    }
    try {
      ready.put(Optional.empty());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void hand(R row) throws InterruptedException {
    Q request;
    try {
      request = encoder.encode(row);
    } catch (RowException e) {
      refused.accept(new BadRow(row.key(), reader.format(), e.getMessage()));
      return;
    }
    rows.put(row.key().row(), new Asked<>(row, request));
    ready.put(Optional.of(request));
  }

  private void rethrow() {
    switch (failure) {
      case null -> {}
      case IOException e -> throw new UncheckedIOException(e);
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new IllegalStateException("reading rows failed", failure);
    }
  }

  @Override
  public void close() throws IOException {
    thread.interrupt();
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    reader.close();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Turns a row into what the engine is asked. */
  @FunctionalInterface
  interface Encoder<R, Q> {
    Q encode(R row) throws RowException;
  }

  /** A row, and what the engine was asked for it. */
  record Asked<R, Q>(R row, Q request) {}
}
