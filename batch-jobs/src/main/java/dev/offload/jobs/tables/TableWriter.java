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
 * (or, for labels that a model wrote, {@code incomplete}) and, if rows have it, {@code gold}. In
 * Parquet the probabilities are a map from label to double, in CSV they are the text of a JSON
 * object. Ids are 64-bit numbers if all are, otherwise texts.
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
    String probabilities = format == FileFormat.PARQUET ? "MAP(VARCHAR, DOUBLE)" : "JSON";
    String columns = "label: 'VARCHAR', probabilities: '%s'".formatted(probabilities);
    write(lines, target, format, columns, "label, probabilities", gold);
  }

  /**
   * Converts a file of JSON lines whose rows have {@code label}, or {@code incomplete} instead.
   *
   * @param target is replaced
   * @param json labels are any JSON values, and become texts of JSON
   * @param gold rows may have the field {@code gold}
   */
  public static void writeTexts(
      Path lines, Path target, FileFormat format, boolean json, boolean gold) throws IOException {
    // A label may be the value null, which is not the same as none.
    String label =
        json
            ? "CASE WHEN incomplete IS NULL THEN coalesce(CAST(label AS VARCHAR), 'null') END AS"
                + " label"
            : "label";
    String columns = "label: '%s', incomplete: 'VARCHAR'".formatted(json ? "JSON" : "VARCHAR");
    write(lines, target, format, columns, label + ", incomplete", gold);
  }

  private static void write(
      Path lines, Path target, FileFormat format, String columns, String selected, boolean gold)
      throws IOException {
    try (Connection connection = Duck.open();
        Statement statement = connection.createStatement()) {
      String source = source(lines, columns, gold);
      String id = allWholeNumbers(statement, source) ? "CAST(id ->> '$' AS BIGINT)" : "id ->> '$'";
      statement.execute(
          "COPY (SELECT %s AS id, %s%s FROM %s) TO %s (%s)"
              .formatted(
                  id, selected, gold ? ", gold" : "", source, Duck.path(target), options(format)));
    } catch (SQLException e) {
      Files.deleteIfExists(target);
      throw Duck.failure(target, e);
    }
  }

  private static String source(Path lines, String columns, boolean gold) throws IOException {
    return ("read_json(%s, format = 'newline_delimited', hive_partitioning = false, columns = {id:"
            + " 'JSON', %s%s})")
        .formatted(Duck.path(lines), columns, gold ? ", gold: 'VARCHAR'" : "");
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
