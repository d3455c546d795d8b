package dev.offload.jobs.rows;

/** Why one row is refused. The message names field and value; the job goes on without the row. */
public final class RowException extends Exception {
  private static final long serialVersionUID = 1L;

  public RowException(String message) {
    super(message);
  }

  public RowException(String message, Throwable cause) {
    super(message, cause);
  }
}
