package dev.offload.jobs.tables;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** How the rows of a file are written, told by the ending of its name. */
public enum FileFormat {
  JSONL(".jsonl"),
  CSV(".csv"),
  PARQUET(".parquet");

  private final String ending;

  FileFormat(String ending) {
    this.ending = ending;
  }

  /** The format of a file, or empty if its name ends in another way. */
  public static Optional<FileFormat> of(Path file) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    return Arrays.stream(values()).filter(format -> name.endsWith(format.ending)).findFirst();
  }
}
