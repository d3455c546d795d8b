package dev.offload.jobs.rows;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Optional;

/**
 * Splits a stream of bytes into lines, holding one line and one buffer at a time. A line ends with
 * LF or CRLF, the last one may end with the file; a byte order mark at the start and blank lines
 * are skipped. Owned by one thread.
 */
final class LineReader {
  /** Longest line that is kept: {@value} bytes. */
  static final int MAX_LINE_BYTES = 64 << 20;

  private static final int BUFFER_BYTES = 1 << 18;
  private static final byte[] BYTE_ORDER_MARK = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};

  private final InputStream in;
  private final int maxLineBytes;
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private int position;
  private int limit;
  private long lines;
  private long rows;
  private long filledBytes;
  private boolean ended;

  LineReader(InputStream in) {
    this(in, MAX_LINE_BYTES);
  }

  LineReader(InputStream in, int maxLineBytes) {
    this.in = in;
    this.maxLineBytes = maxLineBytes;
  }

  /** The next line that is not blank, or empty at the end of the file. */
  Optional<Line> next() throws IOException {
    while (!ended) {
      ByteArrayOutputStream kept = new ByteArrayOutputStream(256);
      long length = readLine(kept);
      lines++;
      if (length > maxLineBytes) {
        return Optional.of(new Line(lines, rows++, kept.toByteArray(), length));
      }
      byte[] line = withoutCarriageReturn(withoutByteOrderMark(kept.toByteArray()));
      if (!isBlank(line)) {
        return Optional.of(new Line(lines, rows++, line, line.length));
      }
    }
    return Optional.empty();
  }

  /** Bytes of the stream that lines were made of so far. */
  long bytesRead() {
    return filledBytes - (limit - position);
  }

  /** How many lines that are not blank were read so far. */
  long rowsRead() {
    return rows;
  }

  /**
   * Appends the bytes up to the line's end to {@code kept}, at most the limit; returns how many
   * there were.
   */
  private long readLine(ByteArrayOutputStream kept) throws IOException {
    long length = 0;
    while (true) {
      if (position == limit && !fill()) {
        ended = true;
        return length;
      }
      int end = position;
      while (end < limit && buffer[end] != '\n') {
        end++;
      }
      int count = end - position;
      kept.write(buffer, position, Math.min(count, maxLineBytes - kept.size()));
      length += count;
      position = end;
      if (end < limit) {
        position++;
        return length;
      }
    }
  }

  private boolean fill() throws IOException {
    position = 0;
    limit = Math.max(0, in.read(buffer));
    filledBytes += limit;
    return limit > 0;
  }

  private byte[] withoutByteOrderMark(byte[] line) {
    boolean marked =
        lines == 1
            && line.length >= BYTE_ORDER_MARK.length
            && Arrays.equals(
                line, 0, BYTE_ORDER_MARK.length, BYTE_ORDER_MARK, 0, BYTE_ORDER_MARK.length);
    return marked ? Arrays.copyOfRange(line, BYTE_ORDER_MARK.length, line.length) : line;
  }

  private static byte[] withoutCarriageReturn(byte[] line) {
    boolean returns = line.length > 0 && line[line.length - 1] == '\r';
    return returns ? Arrays.copyOf(line, line.length - 1) : line;
  }

  private static boolean isBlank(byte[] line) {
    for (byte each : line) {
      if (each != ' ' && each != '\t' && each != '\r') {
        return false;
      }
    }
    return true;
  }
}
