package dev.offload.backends.cpu;

/**
 * Work that failed on a stream.
 *
 * @param stream name of the stream it failed on
 * @param cause what it threw
 */
record StreamFailure(String stream, Throwable cause) {

  IllegalStateException toException() {
    return new IllegalStateException(
        "work on stream '%s' failed: %s".formatted(stream, cause), cause);
  }
}
