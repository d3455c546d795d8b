package dev.offload.text;

import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Tokens spelled as text with a mark for blanks (SentencePiece), and {@code <0x0A>} for single
 * bytes. Immutable.
 *
 * @param replacements what is replaced in every token
 * @param byteFallback tokens such as {@code <0x0A>} are bytes; a run of them is text if it is valid
 *     UTF-8 as a whole, and otherwise one U+FFFD per byte
 * @param blanksAtStart most blanks dropped at the start of a text
 * @param firstTokenMark mark dropped wherever it stands in the first token, or empty
 * @param separator put between tokens
 */
record PieceDecoder(
    List<Replacement> replacements,
    boolean byteFallback,
    int blanksAtStart,
    String firstTokenMark,
    String separator)
    implements TokenDecoder {

  /** Plain replacement of one text by another. */
  record Replacement(String from, String to) {}

  PieceDecoder {
    replacements = List.copyOf(replacements);
  }

  @Override
  public byte[] bytes(String token) {
    int value = byteFallback ? byteOf(token) : -1;
    return value >= 0
        ? new byte[] {(byte) value}
        : replaced(token).getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public byte[] added(String token, boolean first) {
    if (byteFallback && byteOf(token) >= 0) {
      return bytes(token);
    }
    return text(token, first).getBytes(StandardCharsets.UTF_8);
  }

  private String text(String token, boolean first) {
    return first ? replaced(token.replace(firstTokenMark, "")) : separator + replaced(token);
  }

  private String replaced(String token) {
    String text = token;
    for (Replacement replacement : replacements) {
      text = text.replace(replacement.from(), replacement.to());
    }
    return text;
  }

  /** The byte that a token such as {@code <0x0A>} stands for, or −1. */
  private static int byteOf(String token) {
    if (token.length() != 6 || !token.startsWith("<0x") || token.charAt(5) != '>') {
      return -1;
    }
    int high = Character.digit(token.charAt(3), 16);
    int low = Character.digit(token.charAt(4), 16);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
  }

  @Override
  public TextAssembly newAssembly() {
    return new Assembly();
  }

  private final class Assembly implements TextAssembly {
    private final StringBuilder run = new StringBuilder();
    private Utf8Accumulator runCharacters = new Utf8Accumulator();
    private int runBytes;
    private int blanksToDrop = blanksAtStart;
    private boolean first = true;

    @Override
    public void push(String token, StringBuilder out) {
      int value = byteFallback ? byteOf(token) : -1;
      if (value >= 0) {
        runCharacters.push((byte) value, run);
        runBytes++;
        first = false;
        return;
      }
      finish(out);
      emit(text(token, first), out);
      first = false;
    }

    private void emit(CharSequence text, StringBuilder out) {
      int from = blanksIn(text);
      if (!text.isEmpty()) {
        blanksToDrop = from == text.length() ? blanksToDrop - from : 0;
      }
      out.append(text, from, text.length());
    }

    private int blanksIn(CharSequence text) {
      int blanks = 0;
      while (blanks < blanksToDrop && blanks < text.length() && text.charAt(blanks) == ' ') {
        blanks++;
      }
      return blanks;
    }

    @Override
    public CharSequence provisional() {
      return runCharacters.isWhole() ? CharBuffer.wrap(run, blanksIn(run), run.length()) : "";
    }

    @Override
    public void finish(StringBuilder out) {
      if (runBytes > 0) {
        emit(runCharacters.isWhole() ? run : "\uFFFD".repeat(runBytes), out);
        run.setLength(0);
        runCharacters = new Utf8Accumulator();
        runBytes = 0;
      }
    }
  }
}
