package dev.offload.jobs.journal;

import java.io.IOException;
import java.nio.file.Path;

/** A file could not be written; the message names it. */
final class WriteException extends IOException {
  private static final long serialVersionUID = 1;

  WriteException(Path file, IOException cause) {
    super(file + ": " + cause.getMessage(), cause);
  }
}
