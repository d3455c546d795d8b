package dev.offload.jobs;

/** What the command tells the shell. Scripts rely on these numbers; they never change meaning. */
final class ExitCode {
  /** Everything asked for is done. */
  static final int OK = 0;

  /** The program failed in a way that is nobody's input: a defect, a full disk, a lost device. */
  static final int FAILED = 1;

  /** Wrong usage or refused input: nothing was started, or nothing more can be done with it. */
  static final int REFUSED = 2;

  /** The job went through, and some of its rows are in the error file. */
  static final int ROWS_FAILED = 3;

  /** Ctrl-C, SIGTERM or a closed terminal stopped the job; what is finished is saved. */
  static final int STOPPED = 4;

  private ExitCode() {}
}
