package dev.offload.jobs.rows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongPredicate;

/**
 * Reads the rows of a file one by one. The first line that holds a JSON object decides the format
 * of the file. Each line becomes a {@link Row} or a {@link BadRow}; which of the two depends on
 * this line and the ids before it only, so reading again gives the same rows. Owned by one thread.
 *
 * <pre>{@code
 * try (RowReader rows = RowReader.open(file, defaults, temporaryFolder, row -> false)) {
 *   for (Optional<Incoming> row = rows.next(); row.isPresent(); row = rows.next()) …
 * }
 * }</pre>
 */
public final class RowReader implements AutoCloseable {
  private static final int MAX_ID_CHARACTERS = 1024;

  private final InputStream in;
  private final LineReader lines;
  private final RowDefaults defaults;
  private final LongPredicate skipped;
  private final SeenIds ids;
  private final RowJson json = new RowJson();
  private RowFormat format = RowFormat.SIMPLE;
  private RowParser parser;
  private long formatLine;

  RowReader(InputStream in, RowDefaults defaults, Path folder, LongPredicate skipped) {
    this.in = in;
    this.lines = new LineReader(in);
    this.defaults = defaults;
    this.skipped = skipped;
    this.ids = new SeenIds(folder);
  }

  /**
   * Opens a file of rows.
   *
   * @param folder where temporary files may go
   * @param skipped row numbers (from 0) that are read, so that their ids are known, but not
   *     returned
   */
  public static RowReader open(Path file, RowDefaults defaults, Path folder, LongPredicate skipped)
      throws IOException {
    return new RowReader(Files.newInputStream(file), defaults, folder, skipped);
  }

  /** The next row that is not skipped, or empty at the end of the file. */
  public Optional<Incoming> next() throws IOException {
    while (true) {
      Optional<Line> line = lines.next();
      if (line.isEmpty()) {
        return Optional.empty();
      }
      Incoming incoming = read(line.get());
      if (!skipped.test(incoming.key().row())) {
        return Optional.of(incoming);
      }
    }
  }

  /** Bytes of the file that were taken so far. */
  public long bytesRead() {
    return lines.bytesRead();
  }

  /** Rows that were read so far, skipped ones included. */
  public long rowsRead() {
    return lines.rowsRead();
  }

  private Incoming read(Line line) throws IOException {
    Row.Key key = new Row.Key(line.row(), line.number(), NullNode.getInstance());
    try {
      ObjectNode object = json.parse(line.text());
      detectFormat(object, line);
      key = new Row.Key(line.row(), line.number(), id(object, line));
      refuseSeen(key);
      refuseOtherFormat(object);
      return skipped.test(line.row())
          ? new BadRow(key, format, "skipped")
          : parser.parse(object, key);
    } catch (RowException e) {
      return new BadRow(key, format, e.getMessage());
    }
  }

  private void detectFormat(ObjectNode object, Line line) {
    if (parser != null) {
      return;
    }
    format = OpenAiRows.recognises(object) ? RowFormat.OPENAI : RowFormat.SIMPLE;
    parser = format == RowFormat.OPENAI ? new OpenAiRows(defaults) : new SimpleRows(defaults);
    formatLine = line.number();
  }

  /** The id as given, or the line number. */
  private JsonNode id(ObjectNode object, Line line) throws RowException {
    JsonNode id = object.get(parser.idField());
    boolean absent = id == null || id.isNull();
    if (format == RowFormat.OPENAI && absent) {
      throw new RowException("custom_id is missing; every OpenAI batch row has one");
    }
    if (absent) {
      return LongNode.valueOf(line.number());
    }
    if (format == RowFormat.SIMPLE && id.isIntegralNumber()) {
      return id;
    }
    if (!id.isTextual()) {
      String wanted = format == RowFormat.SIMPLE ? "a text or a whole number" : "a text";
      throw Fields.wrong(parser.idField(), id, wanted);
    }
    String text = Fields.text(parser.idField(), id);
    if (text.length() > MAX_ID_CHARACTERS) {
      throw new RowException(
          "%s has %d characters, at most %d are allowed"
              .formatted(parser.idField(), text.length(), MAX_ID_CHARACTERS));
    }
    return id;
  }

  private void refuseSeen(Row.Key key) throws RowException, IOException {
    OptionalLong before = ids.add(key.id(), key.line());
    if (before.isPresent()) {
      throw new RowException(
          parser.idField() + " " + key.id() + " was given before, on line " + before.getAsLong());
    }
  }

  private void refuseOtherFormat(ObjectNode object) throws RowException {
    RowFormat found = OpenAiRows.recognises(object) ? RowFormat.OPENAI : RowFormat.SIMPLE;
    if (found != format) {
      throw new RowException(
          "the row is written as %s, but the file began with %s on line %d"
              .formatted(found.words(), format.words(), formatLine));
    }
  }

  @Override
  public void close() throws IOException {
    ids.close();
    in.close();
  }
}
