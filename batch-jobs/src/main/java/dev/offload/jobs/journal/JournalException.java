package dev.offload.jobs.journal;

/** A journal that cannot be continued. The message says what is wrong with it, and what to do. */
public final class JournalException extends Exception {
  private static final long serialVersionUID = 1L;

  public JournalException(String message) {
    super(message);
  }

  public JournalException(String message, Throwable cause) {
    super(message, cause);
  }
}
