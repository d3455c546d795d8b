package dev.offload.jobs;

import dev.offload.generation.GenerationRequest;
import dev.offload.generation.RequestSource;
import dev.offload.jobs.rows.BadRow;
import dev.offload.jobs.rows.Incoming;
import dev.offload.jobs.rows.Row;
import dev.offload.jobs.rows.RowEncoder;
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
 */
final class RowFeed implements RequestSource, AutoCloseable {
  private static final int ROWS_AHEAD = 256;

  private final RowReader reader;
  private final RowEncoder encoder;
  private final Consumer<BadRow> refused;
  private final BlockingQueue<Optional<GenerationRequest>> ready =
      new ArrayBlockingQueue<>(ROWS_AHEAD);
  private final Map<Long, Row> rows = new ConcurrentHashMap<>();
  private final Thread thread;
  private volatile Throwable failure;
  private volatile long rowsRead;
  private volatile long bytesRead;
  private volatile boolean readAll;
  private boolean ended;

  /**
   * @param refused takes rows that cannot be worked on, on this feed's thread
   */
  RowFeed(RowReader reader, RowEncoder encoder, Consumer<BadRow> refused) {
    this.reader = reader;
    this.encoder = encoder;
    this.refused = refused;
    this.thread = Thread.ofPlatform().name("offload-rows").daemon().unstarted(this::work);
  }

  void start() {
    thread.start();
  }

  @Override
  public Optional<GenerationRequest> next() {
    if (ended) {
      return Optional.empty();
    }
    try {
      Optional<GenerationRequest> request = ready.take();
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
  Row take(long index) {
    Row row = rows.remove(index);
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
      for (Optional<Incoming> row = reader.next(); row.isPresent(); row = reader.next()) {
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

  private void hand(Incoming incoming) throws InterruptedException {
    switch (incoming) {
      case BadRow bad -> refused.accept(bad);
      case Row row -> hand(row);
    }
  }

  private void hand(Row row) throws InterruptedException {
    GenerationRequest request;
    try {
      request = encoder.encode(row);
    } catch (RowException e) {
      refused.accept(new BadRow(row.key(), row.format(), e.getMessage()));
      return;
    }
    rows.put(row.key().row(), row);
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
}
