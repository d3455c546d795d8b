package dev.offload.jobs;

import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** Something that is opened on a thread of its own while the caller opens something else. */
final class Opening<T extends AutoCloseable> implements AutoCloseable {
  private final FutureTask<T> task;
  private boolean handedOver;

  /**
   * Begins to open.
   *
   * @param name of the thread
   */
  Opening(String name, Callable<T> open) {
    task = new FutureTask<>(open);
    Thread.ofPlatform().name(name).daemon().start(task);
  }

  /** The opened thing, which from now on is the caller's to close. */
  T get() throws IOException, RefusedException, InterruptedException {
    T opened = await();
    handedOver = true;
    return opened;
  }

  /** Returns when the thing is open, or throws what prevented that. */
  T await() throws IOException, RefusedException, InterruptedException {
    try {
      return task.get();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException cause -> throw cause;
        case RefusedException cause -> throw cause;
        case RuntimeException cause -> throw cause;
        case Error cause -> throw cause;
        case Throwable cause -> throw new IllegalStateException("opening failed", cause);
      }
    }
  }

  /** Closes the thing if nobody has taken it. */
  @Override
  public void close() throws IOException {
    if (handedOver) {
      return;
    }
    try {
      task.get().close();
    } catch (ExecutionException e) {
      // Nothing was opened. If that is why we are closing, await() has thrown it already.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException("closing failed", e);
    }
  }
}
