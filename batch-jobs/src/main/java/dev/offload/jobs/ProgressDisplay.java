package dev.offload.jobs;

import java.io.PrintWriter;
import java.time.Duration;

/**
 * Shows a running job: a line that is written over on a terminal, a line every ten seconds
 * otherwise. Runs on a thread of its own until closed.
 */
final class ProgressDisplay implements AutoCloseable {
  private static final Duration TERMINAL_PERIOD = Duration.ofMillis(250);
  private static final Duration PLAIN_PERIOD = Duration.ofSeconds(10);
  private static final String CLEAR_LINE = "\r\u001b[K";

  private final PrintWriter err;
  private final boolean terminal;
  private final ProgressLine line;
  private final JobCounters counters;
  private final long begin = System.nanoTime();
  private final Thread thread;

  ProgressDisplay(PrintWriter err, boolean terminal, ProgressLine line, JobCounters counters) {
    this.err = err;
    this.terminal = terminal;
    this.line = line;
    this.counters = counters;
    this.thread = Thread.ofVirtual().name("offload-progress").unstarted(this::work);
  }

  void start() {
    thread.start();
  }

  private void work() {
    try {
      while (true) {
        Thread.sleep(terminal ? TERMINAL_PERIOD : PLAIN_PERIOD);
        show();
      }
    } catch (InterruptedException e) {
      // Closed: the last state is shown by close().
    }
  }

  private void show() {
    String text = line.text(counters, Duration.ofNanos(System.nanoTime() - begin));
    if (terminal) {
      err.print(CLEAR_LINE + text);
      err.flush();
    } else {
      err.println(text);
    }
  }

  /** Shows the last state and ends. */
  @Override
  public void close() {
    thread.interrupt();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    show();
    if (terminal) {
      err.println();
    }
  }
}
