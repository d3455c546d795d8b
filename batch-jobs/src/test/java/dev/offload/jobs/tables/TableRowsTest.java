package dev.offload.jobs.tables;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.jobs.rows.RawRow;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TableRowsTest {
  @TempDir private Path folder;

  @Test
  void shouldReadCsvAsItIsWritten() throws Exception {
    Path file =
        csv(
            """
            id,text,other
            007,"say ""hi"", then
            go",x
            8,2024-01-05,y
            ,,z
            """);
    assertEquals(
        List.of(
            "{\"id\":\"007\",\"text\":\"say \\\"hi\\\", then\\ngo\"}",
            "{\"id\":\"8\",\"text\":\"2024-01-05\"}",
            "{}"),
        read(file, FileFormat.CSV, Set.of("text")));
  }

  @Test
  void shouldReadParquetWithItsTypes() throws Exception {
    Path file = folder.resolve("rows.parquet");
    parquet(
        "SELECT * FROM (VALUES (3::UBIGINT, 'ä', 1.50::DECIMAL(5,2), TRUE, DATE '2024-01-05'),"
            + " (18446744073709551615, NULL, 2, FALSE, NULL)) AS t(id, text, price, flag, day)",
        file);
    assertEquals(
        List.of(
            "{\"id\":3,\"text\":\"ä\",\"price\":\"1.50\"}",
            "{\"id\":18446744073709551615,\"price\":\"2.00\"}"),
        read(file, FileFormat.PARQUET, new LinkedHashSet<>(List.of("text", "price"))));
  }

  @Test
  void shouldKeepTheOrderOfManyRowsAndSayHowFarItIs() throws Exception {
    Path file = folder.resolve("rows.parquet");
    parquet("SELECT range AS id, 'text ' || range AS text FROM range(300000)", file);
    long expected = 0;
    try (TableRows rows = TableRows.open(file, FileFormat.PARQUET, Set.of("text"))) {
      for (Optional<RawRow> row = rows.next(); row.isPresent(); row = rows.next()) {
        assertEquals(expected, row.get().row());
        assertEquals(expected + 1, row.get().line());
        assertEquals("text " + expected, row.get().fields().get("text").textValue());
        expected++;
        if (expected == 150_000) {
          assertTrue(Math.abs(rows.bytesRead() - Files.size(file) / 2) <= 1);
        }
      }
      assertEquals(300_000, rows.rowsRead());
      assertEquals(Files.size(file), rows.bytesRead());
    }
    assertEquals(300_000, expected);
  }

  @Test
  void shouldRefuseTablesThatLackAColumnOrHoldSomethingElse() throws Exception {
    Path file = csv("id;text\n1;a\n");
    assertEquals(
        file + " has no column text; it has id;text", refusal(file, FileFormat.CSV, "text"));
    Path parquet = folder.resolve("rows.parquet");
    parquet("SELECT 1.5 AS id, [1, 2] AS list, {'a': 1} AS struct, 'x'::BLOB AS blob", parquet);
    assertTrue(refusal(parquet, FileFormat.PARQUET, "list").contains("column list is INTEGER[]"));
    assertTrue(refusal(parquet, FileFormat.PARQUET, "struct").contains("column struct is STRUCT"));
    assertTrue(refusal(parquet, FileFormat.PARQUET, "blob").contains("column blob is BLOB"));
    parquet("SELECT 1.5 AS id, 'a' AS text", parquet);
    assertTrue(
        refusal(parquet, FileFormat.PARQUET, "text")
            .contains("column id is DECIMAL(2,1), must hold texts or whole numbers"));
  }

  @Test
  void shouldRefuseABrokenLineBeforeTheFirstRow() throws Exception {
    StringBuilder lines = new StringBuilder("id,text\n");
    for (int i = 0; i < 50_000; i++) {
      lines.append(i).append(i == 49_000 ? ",a,too many\n" : ",text\n");
    }
    Path file = csv(lines.toString());
    String message = refusal(file, FileFormat.CSV, "text");
    assertTrue(message.contains("49002"), message);
  }

  @Test
  void shouldRefuseFilesThatAreNoTables() throws Exception {
    Path file = Files.writeString(folder.resolve("rows.parquet"), "no parquet at all");
    String message = refusal(file, FileFormat.PARQUET, "text");
    assertTrue(message.startsWith(file + ": "), message);
    Path pattern = Files.writeString(folder.resolve("a[1].csv"), "text\na\n");
    assertTrue(refusal(pattern, FileFormat.CSV, "text").contains("must not contain any of"));
    Path latin =
        Files.write(
            folder.resolve("latin.csv"),
            "id,text\n1,\u00e4\n".getBytes(StandardCharsets.ISO_8859_1));
    assertTrue(refusal(latin, FileFormat.CSV, "text").startsWith(latin + ": "));
  }

  @Test
  void shouldReadAnEmptyTable() throws Exception {
    assertEquals(List.of(), read(csv("id,text\n"), FileFormat.CSV, Set.of("text")));
  }

  @Test
  void shouldReadALongText() throws Exception {
    String text = "long ".repeat(1_000_000);
    List<String> rows = read(csv("text\na\n" + text + "\nb\n"), FileFormat.CSV, Set.of("text"));
    assertEquals(3, rows.size());
    assertEquals("{\"text\":\"" + text + "\"}", rows.get(1));
  }

  @Test
  void shouldReadAPathWithAQuote() throws Exception {
    Path file = Files.writeString(folder.resolve("o'neil.csv"), "text\na\n");
    assertEquals(List.of("{\"text\":\"a\"}"), read(file, FileFormat.CSV, Set.of("text")));
  }

  private Path csv(String text) throws IOException {
    return Files.writeString(folder.resolve("rows.csv"), text);
  }

  static void parquet(String query, Path file) throws Exception {
    try (Connection connection = Duck.open();
        Statement statement = connection.createStatement()) {
      statement.execute("COPY (" + query + ") TO " + Duck.path(file) + " (FORMAT parquet)");
    }
  }

  private static List<String> read(Path file, FileFormat format, Set<String> columns)
      throws Exception {
    TableRows.check(file, format, columns);
    List<String> found = new ArrayList<>();
    try (TableRows rows = TableRows.open(file, format, columns)) {
      for (Optional<RawRow> row = rows.next(); row.isPresent(); row = rows.next()) {
        found.add(row.get().fields().toString());
      }
    }
    return found;
  }

  private static String refusal(Path file, FileFormat format, String column) {
    return assertThrows(IOException.class, () -> TableRows.check(file, format, Set.of(column)))
        .getMessage();
  }
}
