package dev.offload.sampling;

/** A row of logits from which no token can be chosen: it holds NaN or infinity. */
public final class LogitsException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  LogitsException(String message) {
    super(message);
  }
}
