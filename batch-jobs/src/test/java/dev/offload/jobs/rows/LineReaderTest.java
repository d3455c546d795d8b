package dev.offload.jobs.rows;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class LineReaderTest {

  @Test
  void shouldSkipBlankLinesAndKeepLineNumbers() throws Exception {
    assertEquals(List.of("2/0:a", "4/1:b", "6/2:c"), read("\na\n \t\r\nb\r\n\nc"));
  }

  @Test
  void shouldDropAByteOrderMarkAtTheStartOnly() throws Exception {
    assertEquals(List.of("1/0:a", "2/1:\uFEFFb"), read("\uFEFFa\n\uFEFFb\n"));
    assertEquals(List.of(), read("\uFEFF"));
  }

  @Test
  void shouldReadAnEmptyFile() throws Exception {
    assertEquals(List.of(), read(""));
  }

  @Test
  void shouldRefuseALongLineAndGoOn() throws Exception {
    LineReader lines = new LineReader(stream("12345678\n123456789\n1"), 8);
    assertEquals("12345678", lines.next().orElseThrow().text());
    Line line = lines.next().orElseThrow();
    assertEquals(
        "the line has 9 bytes, at most 8 are allowed",
        assertThrows(RowException.class, line::text).getMessage());
    assertEquals("1", lines.next().orElseThrow().text());
  }

  @Test
  void shouldNameTheByteThatIsNotUtf8() {
    byte[] bytes = {'a', 'b', (byte) 0xC3, '(', 'c'};
    Line line = new Line(1, 0, bytes, bytes.length);
    assertEquals(
        "byte 3 of the line (0xC3) is not valid UTF-8",
        assertThrows(RowException.class, line::text).getMessage());
  }

  @Test
  void shouldRefuseACharacterCutOffByTheLineEnd() {
    byte[] bytes = {'a', (byte) 0xE2, (byte) 0x82};
    Line line = new Line(1, 0, bytes, bytes.length);
    assertEquals(
        "byte 2 of the line (0xE2) is not valid UTF-8",
        assertThrows(RowException.class, line::text).getMessage());
  }

  @Test
  void shouldJoinPartsOfALineThatSpansReads() throws Exception {
    String longLine = "x".repeat(700_000);
    InputStream oneByOne =
        new InputStream() {
          private final InputStream whole = stream(longLine + "\nend");

          @Override
          public int read() throws IOException {
            return whole.read();
          }

          @Override
          public int read(byte[] into, int offset, int length) throws IOException {
            return whole.read(into, offset, Math.min(length, 1009));
          }
        };
    LineReader lines = new LineReader(oneByOne);
    assertEquals(longLine, lines.next().orElseThrow().text());
    assertEquals("end", lines.next().orElseThrow().text());
    assertEquals(Optional.empty(), lines.next());
  }

  private static List<String> read(String text) throws IOException, RowException {
    LineReader lines = new LineReader(stream(text));
    List<String> found = new ArrayList<>();
    for (Optional<Line> line = lines.next(); line.isPresent(); line = lines.next()) {
      found.add(line.get().number() + "/" + line.get().row() + ":" + line.get().text());
    }
    return found;
  }

  private static InputStream stream(String text) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
  }
}
