package dev.offload.jobs;

/** Ends a run after a pass because somebody asked for it; what was finished is on disk. */
final class JobStopped extends RuntimeException {
  private static final long serialVersionUID = 1;

  JobStopped() {
    super("the job was asked to stop");
  }
}
