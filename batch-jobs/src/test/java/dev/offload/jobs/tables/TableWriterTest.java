package dev.offload.jobs.tables;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TableWriterTest {
  private static final String NUMBERED =
      """
      {"id":7,"label":"a, \\"b\\"\\nc","probabilities":{"a, \\"b\\"\\nc":0.75,"A":1.0E-10}}
      {"id":-9223372036854775808,"label":"A","probabilities":{"a, \\"b\\"\\nc":0.1,"A":0.9},"gold":"x"}
      """;

  @TempDir private Path folder;
  private Path lines;

  @BeforeEach
  void write() throws IOException {
    lines = Files.writeString(folder.resolve("out.csv.partial"), NUMBERED);
  }

  @Test
  void shouldWriteCsv() throws Exception {
    Path target = folder.resolve("out.csv");
    TableWriter.write(lines, target, FileFormat.CSV, true);
    assertEquals(
        """
        id,label,probabilities,gold
        7,"a, ""b""
        c","{""a, \\""b\\""\\nc"":0.75,""A"":1e-10}",
        -9223372036854775808,A,"{""a, \\""b\\""\\nc"":0.1,""A"":0.9}",x
        """,
        Files.readString(target).replace("1.0E-10", "1e-10"));
  }

  @Test
  void shouldWriteParquetWithNumbersAndMaps() throws Exception {
    Path target = folder.resolve("out.parquet");
    TableWriter.write(lines, target, FileFormat.PARQUET, true);
    assertEquals(
        "BIGINT, VARCHAR, MAP(VARCHAR, DOUBLE), VARCHAR",
        value(
            "SELECT string_agg(column_type, ', ') FROM (DESCRIBE SELECT * FROM read_parquet(%s))",
            target));
    assertEquals(
        "0.9", value("SELECT probabilities['A'] FROM read_parquet(%s) WHERE id < 0", target));
    assertEquals(
        "1.0E-10", value("SELECT probabilities['A'] FROM read_parquet(%s) WHERE id = 7", target));
  }

  @Test
  void shouldWriteTextsIfOneIdIsAText() throws Exception {
    Files.writeString(
        lines,
        """
        {"id":1,"label":"a","probabilities":{"a":1.0,"b":0.0}}
        {"id":"x'\\"y","label":"b","probabilities":{"a":0.0,"b":1.0}}
        """);
    Path target = folder.resolve("out.parquet");
    TableWriter.write(lines, target, FileFormat.PARQUET, false);
    assertEquals("1|x'\"y", value("SELECT string_agg(id, '|') FROM read_parquet(%s)", target));
  }

  @Test
  void shouldWriteAnEmptyTable() throws Exception {
    Files.writeString(lines, "");
    Path target = folder.resolve("out.csv");
    TableWriter.write(lines, target, FileFormat.CSV, false);
    assertEquals("id,label,probabilities\n", Files.readString(target));
  }

  @Test
  void shouldLeaveNothingBehindOnFailure() throws Exception {
    Files.writeString(lines, "{broken");
    Path target = folder.resolve("out.csv");
    assertThrows(IOException.class, () -> TableWriter.write(lines, target, FileFormat.CSV, false));
    assertFalse(Files.exists(target));
  }

  private static String value(String query, Path file) throws Exception {
    try (Connection connection = Duck.open();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(query.formatted(Duck.path(file)))) {
      rows.next();
      return String.valueOf(rows.getObject(1));
    }
  }
}
