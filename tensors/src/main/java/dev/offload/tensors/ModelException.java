package dev.offload.tensors;

/**
 * A model folder is refused: something in it is damaged, dangerous or not supported. The message
 * names file, field and value and says what to do; it is meant to be shown to the user alone,
 * without a stack trace.
 */
public final class ModelException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public ModelException(String message) {
    super(message);
  }

  public ModelException(String message, Throwable cause) {
    super(message, cause);
  }
}
