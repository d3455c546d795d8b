package dev.offload.jobs.tables;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * Writes labeled rows as a table with the columns {@code id}, {@code label}, {@code probabilities}
 * and, if rows have it, {@code gold}. In Parquet the probabilities are a map from label to double,
 * in CSV they are the text of a JSON object. Ids are 64-bit numbers if all are, otherwise texts.
 */
public final class TableWriter {
  private TableWriter() {}

  /**
   * Converts a file of JSON lines, row by row.
   *
   * @param target is replaced
   * @param gold rows may have the field {@code gold}
   */
  public static void write(Path lines, Path target, FileFormat format, boolean gold)
      throws IOException {
    try (Connection connection = Duck.open();
        Statement statement = connection.createStatement()) {
      String source = source(lines, format, gold);
      String id = allWholeNumbers(statement, source) ? "CAST(id ->> '$' AS BIGINT)" : "id ->> '$'";
      statement.execute(
          "COPY (SELECT %s AS id, label, probabilities%s FROM %s) TO %s (%s)"
              .formatted(id, gold ? ", gold" : "", source, Duck.path(target), options(format)));
    } catch (SQLException e) {
      Files.deleteIfExists(target);
      throw Duck.failure(target, e);
    }
  }

  private static String source(Path lines, FileFormat format, boolean gold) throws IOException {
    String probabilities = format == FileFormat.PARQUET ? "MAP(VARCHAR, DOUBLE)" : "JSON";
    return ("read_json(%s, format = 'newline_delimited', hive_partitioning = false, columns = {id:"
            + " 'JSON', label: 'VARCHAR', probabilities: '%s'%s})")
        .formatted(Duck.path(lines), probabilities, gold ? ", gold: 'VARCHAR'" : "");
  }

  private static boolean allWholeNumbers(Statement statement, String source) throws SQLException {
    try (ResultSet answer =
        statement.executeQuery(
            "SELECT bool_and(json_type(id) IN ('BIGINT', 'UBIGINT')) FROM " + source)) {
      return answer.next() && answer.getBoolean(1);
    }
  }

  private static String options(FileFormat format) {
    return switch (format) {
      case CSV -> "FORMAT csv, HEADER true";
      case PARQUET -> "FORMAT parquet, COMPRESSION zstd";
      case JSONL -> throw new IllegalArgumentException("lines need no conversion");
    };
  }
}
