package dev.offload.text.jinja;

/** A template that cannot be read or rendered, or that refuses its input with raise_exception. */
public final class TemplateException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  TemplateException(String message) {
    super(message);
  }

  TemplateException(String message, Throwable cause) {
    super(message, cause);
  }
}
