package dev.offload.jobs;

import dev.offload.engine.prefix.PrefixSharing;
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
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;

/**
 * Reads and tokenizes rows on a thread of its own, ahead of the engine, which takes them from here:
 * as many as it looks at together to find those that begin alike, if they are not large. Remembers
 * each row until its answer is there.
 *
 * @param <R> a checked row
 * @param <Q> what the engine is asked for it
 */
final class RowFeed<R extends Incoming, Q> implements Requests<Q>, AutoCloseable {
  private static final int ROWS_AHEAD = PrefixSharing.USUAL.windowSequences();

  /** Of the input, or of the rows' tokens where these are more. */
  private static final int BYTES_AHEAD = 64 << 20;

  /** Several times what a row takes, and little against a pass. */
  private static final long SHORT_WAIT_MILLIS = 20;

  private final RowReader<R> reader;
  private final Encoder<R, Q> encoder;
  private final ToIntFunction<Q> promptTokens;
  private final Consumer<BadRow> refused;
  private final BlockingQueue<Ready<Q>> ready = new ArrayBlockingQueue<>(ROWS_AHEAD);
  private final Semaphore bytesAhead = new Semaphore(BYTES_AHEAD);
  private final Map<Long, Asked<R, Q>> rows = new ConcurrentHashMap<>();
  private final Thread thread;
  private volatile Throwable failure;
  private volatile long rowsRead;
  private volatile long bytesRead;
  private volatile boolean readAll;
  private Ready<Q> taken;
  private boolean ended;

  /**
   * @param reader closed with this feed
   * @param promptTokens of a request
   * @param refused takes rows that cannot be worked on, on this feed's thread
   */
  RowFeed(
      RowReader<R> reader,
      Encoder<R, Q> encoder,
      ToIntFunction<Q> promptTokens,
      Consumer<BadRow> refused) {
    this.reader = reader;
    this.encoder = encoder;
    this.promptTokens = promptTokens;
    this.refused = refused;
    this.thread = Thread.ofPlatform().name("offload-rows").daemon().unstarted(this::work);
  }

  void start() {
    thread.start();
  }

  @Override
  public Optional<Q> next() {
    if (ended) {
      return Optional.empty();
    }
    Ready<Q> next = taken != null ? taken : await(ready::take);
    taken = null;
    bytesAhead.release(next.bytes);
    ended = next.request.isEmpty();
    if (ended) {
      rethrow();
    }
    return next.request;
  }

  @Override
  public boolean hasMoreNow() {
    if (!ended && taken == null) {
      taken = await(() -> ready.poll(SHORT_WAIT_MILLIS, TimeUnit.MILLISECONDS));
    }
    return ended || taken != null;
  }

  private static <T> T await(InterruptibleSupplier<T> supplier) {
    try {
      return supplier.get();
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
        hand(row.get(), reader.bytesRead() - bytesRead);
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
      ready.put(new Ready<>(Optional.empty(), 0));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void hand(R row, long inputBytes) throws InterruptedException {
    Q request;
    try {
      request = encoder.encode(row);
    } catch (RowException e) {
      refused.accept(new BadRow(row.key(), reader.format(), e.getMessage()));
      return;
    }
    rows.put(row.key().row(), new Asked<>(row, request));
    long bytes = Math.max(inputBytes, (long) Integer.BYTES * promptTokens.applyAsInt(request));
    int counted = (int) Math.min(BYTES_AHEAD, bytes);
    bytesAhead.acquire(counted);
    ready.put(new Ready<>(Optional.of(request), counted));
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

  @FunctionalInterface
  private interface InterruptibleSupplier<T> {
    T get() throws InterruptedException;
  }

  /** A request, or the end of them, and what it counts among the bytes ahead. */
  private record Ready<Q>(Optional<Q> request, int bytes) {}

  /** A row, and what the engine was asked for it. */
  record Asked<R, Q>(R row, Q request) {}
}
