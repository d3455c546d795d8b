package dev.offload.text;

/**
 * Turns bytes into text one by one, never half a character. Broken sequences become U+FFFD, one for
 * each maximal part that could have begun a character (Unicode 15, section 3.9, "substitution of
 * maximal subparts"). Not thread-safe.
 */
final class Utf8Accumulator {
  private static final char REPLACEMENT = '\uFFFD';

  private int codePoint;
  private int missing;
  private int least;
  private int most;
  private boolean broken;

  /** Appends the character to {@code out} if this byte completes one. */
  void push(byte next, StringBuilder out) {
    int value = Byte.toUnsignedInt(next);
    if (missing == 0) {
      begin(value, out);
      return;
    }
    if (value < least || value > most) {
      missing = 0;
      replace(out);
      begin(value, out);
      return;
    }
    codePoint = (codePoint << 6) | (value & 0x3f);
    least = 0x80;
    most = 0xbf;
    missing--;
    if (missing == 0) {
      out.appendCodePoint(codePoint);
    }
  }

  // The ranges of the second byte are those of Unicode 15, table 3-7.
  private void begin(int value, StringBuilder out) {
    if (value < 0x80) {
      out.append((char) value);
    } else if (value >= 0xc2 && value <= 0xdf) {
      expect(value & 0x1f, 1, 0x80, 0xbf);
    } else if (value >= 0xe0 && value <= 0xef) {
      expect(value & 0x0f, 2, value == 0xe0 ? 0xa0 : 0x80, value == 0xed ? 0x9f : 0xbf);
    } else if (value >= 0xf0 && value <= 0xf4) {
      expect(value & 0x07, 3, value == 0xf0 ? 0x90 : 0x80, value == 0xf4 ? 0x8f : 0xbf);
    } else {
      replace(out);
    }
  }

  private void expect(int bits, int bytes, int least, int most) {
    codePoint = bits;
    missing = bytes;
    this.least = least;
    this.most = most;
  }

  private void replace(StringBuilder out) {
    broken = true;
    out.append(REPLACEMENT);
  }

  /** Appends U+FFFD if a character is incomplete. */
  void finish(StringBuilder out) {
    if (missing > 0) {
      missing = 0;
      replace(out);
    }
  }

  /** Whether all bytes so far form whole characters. */
  boolean isWhole() {
    return missing == 0 && !broken;
  }
}
