package dev.offload.text;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Tokens spelled with one visible character per byte (GPT-2's table). The bytes of all tokens
 * together are the UTF-8 text. Immutable.
 */
final class ByteLevelDecoder implements TokenDecoder {
  private static final int TABLE_SIZE = 256 + 68;

  /** Character to byte, −1 where a character stands for none. */
  private static final short[] BYTE_OF_CHARACTER = byteOfCharacter();

  private static short[] byteOfCharacter() {
    short[] table = new short[TABLE_SIZE];
    Arrays.fill(table, (short) -1);
    int next = 256;
    for (int value = 0; value < 256; value++) {
      table[isVisible(value) ? value : next++] = (short) value;
    }
    return table;
  }

  private static boolean isVisible(int value) {
    return (value >= '!' && value <= '~') || (value >= 0xa1 && value <= 0xac) || value >= 0xae;
  }

  /** The character that stands for a byte (0..255). */
  static char characterOf(int value) {
    for (char c = 0; c < TABLE_SIZE; c++) {
      if (BYTE_OF_CHARACTER[c] == value) {
        return c;
      }
    }
    throw new IllegalArgumentException("byte " + value + " is not from 0 to 255");
  }

  @Override
  public byte[] bytes(String token) {
    byte[] bytes = new byte[token.length()];
    for (int i = 0; i < bytes.length; i++) {
      char c = token.charAt(i);
      if (c >= TABLE_SIZE || BYTE_OF_CHARACTER[c] < 0) {
        return token.getBytes(StandardCharsets.UTF_8); // an added token, spelled as it is
      }
      bytes[i] = (byte) BYTE_OF_CHARACTER[c];
    }
    return bytes;
  }

  @Override
  public byte[] added(String token, boolean first) {
    return bytes(token);
  }

  @Override
  public int blanksAtStart() {
    return 0;
  }

  @Override
  public TextAssembly newAssembly() {
    return new Assembly();
  }

  private final class Assembly implements TextAssembly {
    private final Utf8Accumulator characters = new Utf8Accumulator();

    @Override
    public void push(String token, StringBuilder out) {
      for (byte next : bytes(token)) {
        characters.push(next, out);
      }
    }

    @Override
    public CharSequence provisional() {
      return "";
    }

    @Override
    public void finish(StringBuilder out) {
      characters.finish(out);
    }
  }
}
