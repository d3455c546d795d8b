package dev.offload.jobs.tables;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BigIntegerNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.offload.jobs.rows.RawRow;
import dev.offload.jobs.rows.RowSource;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Rows of a CSV or Parquet file, of which only the columns asked for are read. Values are texts as
 * DuckDB writes them, whole numbers in the column {@value #ID} are numbers; an empty cell is
 * absent.
 */
public final class TableRows implements RowSource {
  private static final String ID = "id";
  private static final Set<String> WHOLE_NUMBERS =
      Set.of(
          "TINYINT",
          "SMALLINT",
          "INTEGER",
          "BIGINT",
          "HUGEINT",
          "UTINYINT",
          "USMALLINT",
          "UINTEGER",
          "UBIGINT",
          "UHUGEINT");
  private static final Set<String> TEXTS = Set.of("VARCHAR", "UUID");
  private static final List<String> NOT_SCALAR =
      List.of("STRUCT", "MAP", "UNION", "VARIANT", "BLOB", "GEOMETRY");

  private final Path file;
  private final Connection connection;
  private final Statement statement;
  private final ResultSet rows;
  private final List<String> columns;
  private final boolean wholeNumberIds;
  private final long total;
  private final long bytes;
  private long rowsRead;

  private TableRows(
      Path file,
      Connection connection,
      Statement statement,
      ResultSet rows,
      List<String> columns,
      boolean wholeNumberIds,
      long total,
      long bytes) {
    this.file = file;
    this.connection = connection;
    this.statement = statement;
    this.rows = rows;
    this.columns = columns;
    this.wholeNumberIds = wholeNumberIds;
    this.total = total;
    this.bytes = bytes;
  }

  /**
   * Looks through a file without keeping anything: all of a CSV file, the directory of a Parquet
   * file.
   *
   * @param columns that it must have, besides a column {@value #ID} that it may have
   * @throws IOException naming the line or column that is wrong
   */
  public static void check(Path file, FileFormat format, Set<String> columns) throws IOException {
    try (Connection connection = Duck.open();
        Statement statement = connection.createStatement()) {
      String table = Duck.table(file, format);
      select(file, types(statement, table), columns);
      count(statement, table, format);
    } catch (SQLException e) {
      throw Duck.failure(file, e);
    }
  }

  /**
   * Opens a file.
   *
   * @param columns that it must have, besides a column {@value #ID} that it may have
   */
  public static TableRows open(Path file, FileFormat format, Set<String> columns)
      throws IOException {
    try {
      Connection connection = Duck.open();
      try {
        return open(file, format, columns, connection);
      } catch (SQLException | IOException | RuntimeException e) {
        connection.close();
        throw e;
      }
    } catch (SQLException e) {
      throw Duck.failure(file, e);
    }
  }

  private static TableRows open(
      Path file, FileFormat format, Set<String> columns, Connection connection)
      throws SQLException, IOException {
    String table = Duck.table(file, format);
    Statement statement = connection.createStatement();
    Map<String, String> types = types(statement, table);
    List<String> selected = select(file, types, columns);
    long total = count(statement, table, format);
    String list =
        selected.stream()
            .map(column -> "CAST(" + Duck.name(column) + " AS VARCHAR)")
            .collect(Collectors.joining(", "));
    ResultSet rows = statement.executeQuery("SELECT " + list + " FROM " + table);
    boolean wholeNumbers = WHOLE_NUMBERS.contains(types.getOrDefault(ID, ""));
    return new TableRows(
        file, connection, statement, rows, selected, wholeNumbers, total, Files.size(file));
  }

  /** Column to type, in the order of the file. */
  private static Map<String, String> types(Statement statement, String table) throws SQLException {
    Map<String, String> types = new LinkedHashMap<>();
    try (ResultSet columns = statement.executeQuery("DESCRIBE SELECT * FROM " + table)) {
      while (columns.next()) {
        types.put(columns.getString("column_name"), columns.getString("column_type"));
      }
    }
    return types;
  }

  /** The columns to read: those that there must be, and the id. */
  private static List<String> select(Path file, Map<String, String> types, Set<String> columns)
      throws IOException {
    List<String> selected = new ArrayList<>();
    if (types.containsKey(ID) && !columns.contains(ID)) {
      selected.add(ID);
    }
    for (String column : columns) {
      String type = types.get(column);
      if (type == null) {
        throw new IOException(
            "%s has no column %s; it has %s"
                .formatted(file, column, String.join(", ", types.keySet())));
      }
      if (!isScalar(type)) {
        throw new IOException(
            "%s: column %s is %s, must hold texts, numbers, truth values or times"
                .formatted(file, column, type));
      }
      selected.add(column);
    }
    String id = types.getOrDefault(ID, "VARCHAR");
    if (!TEXTS.contains(id) && !WHOLE_NUMBERS.contains(id)) {
      throw new IOException(
          "%s: column %s is %s, must hold texts or whole numbers".formatted(file, ID, id));
    }
    return selected;
  }

  private static boolean isScalar(String type) {
    return !type.endsWith("]") && NOT_SCALAR.stream().noneMatch(type::startsWith);
  }

  /** Rows of the file. For CSV every line is looked at, so that a broken one is found now. */
  private static long count(Statement statement, String table, FileFormat format)
      throws SQLException {
    String columns = format == FileFormat.CSV ? ", max(hash(COLUMNS(*)))" : "";
    try (ResultSet count = statement.executeQuery("SELECT count(*)" + columns + " FROM " + table)) {
      count.next();
      return count.getLong(1);
    }
  }

  @Override
  public Optional<RawRow> next() throws IOException {
    try {
      if (!rows.next()) {
        return Optional.empty();
      }
      ObjectNode fields = JsonNodeFactory.instance.objectNode();
      for (int i = 0; i < columns.size(); i++) {
        String value = rows.getString(i + 1);
        if (value != null) {
          fields.set(columns.get(i), node(columns.get(i), value));
        }
      }
      return Optional.of(new TableRow(rowsRead++, fields));
    } catch (SQLException e) {
      throw Duck.failure(file, e);
    }
  }

  private JsonNode node(String column, String value) {
    if (!wholeNumberIds || !column.equals(ID)) {
      return TextNode.valueOf(value);
    }
    BigInteger number = new BigInteger(value);
    return number.bitLength() < Long.SIZE
        ? LongNode.valueOf(number.longValueExact())
        : BigIntegerNode.valueOf(number);
  }

  @Override
  public long rowsRead() {
    return rowsRead;
  }

  @Override
  public long bytesRead() {
    return total == 0 ? bytes : Math.round((double) bytes * rowsRead / total);
  }

  @Override
  public void close() throws IOException {
    try (connection;
        statement) {
      rows.close();
    } catch (SQLException e) {
      throw Duck.failure(file, e);
    }
  }

  private record TableRow(long row, ObjectNode fields) implements RawRow {
    @Override
    public long line() {
      return row + 1;
    }
  }
}
