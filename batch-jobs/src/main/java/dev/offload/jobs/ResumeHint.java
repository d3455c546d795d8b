package dev.offload.jobs;

import java.io.PrintWriter;

/** Says how to go on if the process is ended by Ctrl-C or SIGTERM before this is closed. */
final class ResumeHint implements AutoCloseable {
  private final Thread hook;

  ResumeHint(PrintWriter err) {
    hook = new Thread(() -> print(err), "offload-hint");
  }

  /** From now on. */
  void arm() {
    Runtime.getRuntime().addShutdownHook(hook);
  }

  private static void print(PrintWriter err) {
    err.println();
    err.println("offload: interrupted; the same command with --resume goes on, no row is lost");
    err.flush();
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The process is ending, and the hook speaks.
    }
  }
}
