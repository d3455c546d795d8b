package dev.offload.jobs.tables;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;

/**
 * A DuckDB without a database, as a reader and writer of files. It keeps the order of rows, reads
 * no more than it is asked for, loads nothing from the network and spills nothing to disk.
 */
final class Duck {
  /** Longest row of a CSV file; its reader's buffer, 32 MB, has to hold two. */
  private static final int MAX_CSV_ROW_BYTES = 16_000_000;

  private Duck() {}

  static Connection open() throws SQLException {
    Properties properties = new Properties();
    // One thread: the engine needs the others, and rows come in the order of the file.
    properties.setProperty("threads", "1");
    properties.setProperty("preserve_insertion_order", "true");
    properties.setProperty("memory_limit", "2GB");
    properties.setProperty("temp_directory", "");
    properties.setProperty("autoinstall_known_extensions", "false");
    properties.setProperty("autoload_known_extensions", "false");
    properties.setProperty("jdbc_stream_results", "true");
    return DriverManager.getConnection("jdbc:duckdb:", properties);
  }

  /**
   * A file as a table of SQL.
   *
   * @throws IOException if its path would be taken for a pattern
   */
  static String table(Path file, FileFormat format) throws IOException {
    return switch (format) {
      case CSV ->
          ("read_csv(%s, header = true, delim = ',', quote = '\"', escape = '\"',"
                  + " all_varchar = true, max_line_size = %d, hive_partitioning = false)")
              .formatted(path(file), MAX_CSV_ROW_BYTES);
      case PARQUET -> "read_parquet(%s, hive_partitioning = false)".formatted(path(file));
      case JSONL -> throw new IllegalArgumentException(file + " is not a table");
    };
  }

  /** A path as a text of SQL. */
  static String path(Path file) throws IOException {
    String path = file.toAbsolutePath().toString();
    if (path.chars().anyMatch(c -> "*?[]{}".indexOf(c) >= 0)) {
      throw new IOException(
          file + ": the path of a CSV or Parquet file must not contain any of * ? [ ] { }");
    }
    return text(path);
  }

  /** A text of SQL. */
  static String text(String value) {
    return "'" + value.replace("'", "''") + "'";
  }

  /** A name of SQL. */
  static String name(String value) {
    return '"' + value.replace("\"", "\"\"") + '"';
  }

  /** What DuckDB says about a file, as far as it helps whoever wrote the file. */
  static IOException failure(Path file, SQLException e) {
    String message = e.getMessage() == null ? e.toString() : e.getMessage();
    String says = message.lines().filter(line -> !line.isBlank()).limit(2).reduce("", Duck::join);
    return new IOException(file + ": " + says, e);
  }

  private static String join(String text, String line) {
    return text.isEmpty() ? line.strip() : text + " " + line.strip();
  }
}
