package dev.offload.jobs.rows;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Rows of a JSONL file: one JSON object per line. */
public final class JsonLines implements RowSource {
  private final InputStream in;
  private final LineReader lines;
  private final RowJson json;

  private JsonLines(InputStream in, RowJson json) {
    this.in = in;
    this.lines = new LineReader(in);
    this.json = json;
  }

  /** Opens a file whose numbers are read as double precision holds them. */
  public static JsonLines open(Path file) throws IOException {
    return new JsonLines(Files.newInputStream(file), RowJson.strict());
  }

  /** Opens a file whose numbers keep all digits, as they are when they become part of a text. */
  public static JsonLines openExact(Path file) throws IOException {
    return new JsonLines(Files.newInputStream(file), RowJson.exact());
  }

  static JsonLines of(InputStream in) {
    return new JsonLines(in, RowJson.strict());
  }

  @Override
  public Optional<RawRow> next() throws IOException {
    return lines.next().map(line -> new JsonLine(line, json));
  }

  @Override
  public long rowsRead() {
    return lines.rowsRead();
  }

  @Override
  public long bytesRead() {
    return lines.bytesRead();
  }

  @Override
  public void close() throws IOException {
    in.close();
  }

  private record JsonLine(Line content, RowJson json) implements RawRow {
    @Override
    public long row() {
      return content.row();
    }

    @Override
    public long line() {
      return content.number();
    }

    @Override
    public ObjectNode fields() throws RowException {
      return json.parse(content.text());
    }
  }
}
