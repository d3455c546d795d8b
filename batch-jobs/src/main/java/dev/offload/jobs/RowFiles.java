package dev.offload.jobs;

import dev.offload.jobs.rows.JsonLines;
import dev.offload.jobs.rows.RowSource;
import dev.offload.jobs.tables.FileFormat;
import dev.offload.jobs.tables.TableRows;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/** Files of rows in any of the formats. */
final class RowFiles {
  private RowFiles() {}

  /** The format of a file, which its name must tell. */
  static FileFormat format(String option, Path file) throws RefusedException {
    return FileFormat.of(file)
        .orElseThrow(
            () ->
                new RefusedException(
                    option
                        + " "
                        + file
                        + " must end in .jsonl, .csv or .parquet, which says how"
                        + " it is written"));
  }

  /** Refuses a table that is broken or lacks a column. */
  static void check(String option, Path file, Set<String> columns) throws RefusedException {
    FileFormat format = format(option, file);
    if (!Files.isRegularFile(file)) {
      throw new RefusedException(option + " " + file + " is no file");
    }
    if (format == FileFormat.JSONL) {
      return;
    }
    try {
      TableRows.check(file, format, columns);
    } catch (IOException e) {
      throw new RefusedException(option + " " + e.getMessage(), e);
    }
  }

  /**
   * Opens a file whose name tells its format.
   *
   * @param columns that a table must have
   */
  static RowSource open(Path file, Set<String> columns) throws IOException {
    FileFormat format =
        FileFormat.of(file).orElseThrow(() -> new IOException(file + " has no known ending"));
    return format == FileFormat.JSONL
        ? JsonLines.openExact(file)
        : TableRows.open(file, format, columns);
  }
}
