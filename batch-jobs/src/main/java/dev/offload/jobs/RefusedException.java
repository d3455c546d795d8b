package dev.offload.jobs;

/**
 * Input the command will not work with. The message names file, field and value, and what to do.
 */
final class RefusedException extends Exception {
  private static final long serialVersionUID = 1L;

  RefusedException(String message) {
    super(message);
  }

  RefusedException(String message, Throwable cause) {
    super(message, cause);
  }
}
