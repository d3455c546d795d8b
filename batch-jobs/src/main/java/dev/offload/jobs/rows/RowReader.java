package dev.offload.jobs.rows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.LongPredicate;

/**
 * Reads the rows of a file one by one. The first row that holds an object decides the format of the
 * file. Each row is checked and returned, or refused as a {@link BadRow}; which of the two depends
 * on this row and the ids before it only, so reading again gives the same rows. Owned by one
 * thread.
 *
 * <pre>{@code
 * try (RowReader<Row> rows =
 *     RowReader.forGeneration(JsonLines.open(file), defaults, folder, row -> false, refused::add)) {
 *   for (Optional<Row> row = rows.next(); row.isPresent(); row = rows.next()) …
 * }
 * }</pre>
 *
 * @param <R> what rows are read as
 */
public final class RowReader<R extends Incoming> implements AutoCloseable {
  private static final int MAX_ID_CHARACTERS = 1024;

  private final RowSource source;
  private final RowForms<R> forms;
  private final LongPredicate skipped;
  private final Consumer<BadRow> refused;
  private final SeenIds ids;
  private RowFormat format = RowFormat.SIMPLE;
  private RowParser<R> parser;
  private long formatLine;

  private RowReader(
      RowSource source,
      RowForms<R> forms,
      Path folder,
      LongPredicate skipped,
      Consumer<BadRow> refused) {
    this.source = source;
    this.forms = forms;
    this.skipped = skipped;
    this.refused = refused;
    this.ids = new SeenIds(folder);
  }

  /**
   * Reads rows to generate for.
   *
   * @param source of the rows, closed with this reader
   * @param folder where temporary files may go
   * @param skipped row numbers (from 0) that are read, so that their ids are known, but not
   *     returned
   * @param refused takes rows that cannot be worked on
   */
  public static RowReader<Row> forGeneration(
      RowSource source,
      RowDefaults defaults,
      Path folder,
      LongPredicate skipped,
      Consumer<BadRow> refused) {
    return new RowReader<>(source, new GenerationForms(defaults), folder, skipped, refused);
  }

  /**
   * Reads rows to label.
   *
   * @param source of the rows, closed with this reader
   * @param folder where temporary files may go
   * @param skipped row numbers (from 0) that are read, so that their ids are known, but not
   *     returned
   * @param refused takes rows that cannot be worked on
   */
  public static RowReader<LabelRow> forLabeling(
      RowSource source,
      LabelRows rows,
      Path folder,
      LongPredicate skipped,
      Consumer<BadRow> refused) {
    return new RowReader<>(source, rows, folder, skipped, refused);
  }

  /** The next row that is neither skipped nor refused, or empty at the end of the file. */
  public Optional<R> next() throws IOException {
    for (Optional<RawRow> raw = source.next(); raw.isPresent(); raw = source.next()) {
      Optional<R> row = read(raw.get());
      if (row.isPresent()) {
        return row;
      }
    }
    return Optional.empty();
  }

  /** The format of the file; that of simple rows until a row has told. */
  public RowFormat format() {
    return format;
  }

  /** Bytes of the file that were taken so far. */
  public long bytesRead() {
    return source.bytesRead();
  }

  /** Rows that were read so far, skipped and refused ones included. */
  public long rowsRead() {
    return source.rowsRead();
  }

  private Optional<R> read(RawRow raw) throws IOException {
    boolean skip = skipped.test(raw.row());
    Row.Key key = new Row.Key(raw.row(), raw.line(), NullNode.getInstance());
    try {
      ObjectNode object = raw.fields();
      detectFormat(object, raw);
      key = new Row.Key(raw.row(), raw.line(), id(object, raw));
      refuseSeen(key);
      refuseOtherFormat(object);
      return skip ? Optional.empty() : Optional.of(parser.parse(object, key));
    } catch (RowException e) {
      if (!skip) {
        refused.accept(new BadRow(key, format, e.getMessage()));
      }
      return Optional.empty();
    }
  }

  private void detectFormat(ObjectNode object, RawRow raw) {
    if (parser != null) {
      return;
    }
    format = forms.formatOf(object);
    parser = forms.parser(format);
    formatLine = raw.line();
  }

  /** The id as given, or the line number. */
  private JsonNode id(ObjectNode object, RawRow raw) throws RowException {
    JsonNode id = object.get(parser.idField());
    boolean absent = id == null || id.isNull();
    if (format == RowFormat.OPENAI && absent) {
      throw new RowException("custom_id is missing; every OpenAI batch row has one");
    }
    if (absent) {
      return LongNode.valueOf(raw.line());
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
    RowFormat found = forms.formatOf(object);
    if (found != format) {
      throw new RowException(
          "the row is written as %s, but the file began with %s on line %d"
              .formatted(found.words(), format.words(), formatLine));
    }
  }

  @Override
  public void close() throws IOException {
    ids.close();
    source.close();
  }
}
