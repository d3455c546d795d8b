package dev.offload.jobs.rows;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/** One line of the input that is not blank. */
final class Line {
  private final long number;
  private final long row;
  private final byte[] bytes;
  private final long length;

  /**
   * @param number of the line in the file, from 1
   * @param row how many non-blank lines came before
   * @param bytes the line without its end; cut off if longer than the limit
   * @param length of the whole line in bytes
   */
  Line(long number, long row, byte[] bytes, long length) {
    this.number = number;
    this.row = row;
    this.bytes = bytes;
    this.length = length;
  }

  long number() {
    return number;
  }

  long row() {
    return row;
  }

  /**
   * The line as text.
   *
   * @throws RowException if it is too long or not UTF-8
   */
  String text() throws RowException {
    if (length > bytes.length) {
      throw new RowException(
          "the line has " + length + " bytes, at most " + bytes.length + " are allowed");
    }
    CharsetDecoder decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    ByteBuffer in = ByteBuffer.wrap(bytes);
    CharBuffer out = CharBuffer.allocate(bytes.length);
    CoderResult result = decoder.decode(in, out, true);
    if (result.isError()) {
      throw new RowException(
          "byte %d of the line (0x%02X) is not valid UTF-8"
              .formatted(in.position() + 1, bytes[in.position()]));
    }
    return out.flip().toString();
  }
}
