package dev.offload.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Splits the inside of a block into tokens. */
final class Lexer {
  /** Kinds of tokens. */
  enum Kind {
    NAME,
    TEXT,
    INTEGER,
    FLOAT,
    SYMBOL,
    END
  }

  /**
   * @param kind what it is
   * @param text as it stands there; of a TEXT its value
   */
  record Token(Kind kind, String text) {
    boolean is(String symbolOrName) {
      return (kind == Kind.SYMBOL || kind == Kind.NAME) && text.equals(symbolOrName);
    }
  }

  private static final List<String> SYMBOLS =
      List.of(
          "**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")",
          "[", "]", "{", "}", ",", ".", ":", "|");

  private static final Pattern EXPONENT = Pattern.compile("[eE][+-]?\\d+");

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int position;

  private Lexer(String source) {
    this.source = source;
  }

  static List<Token> tokens(String source) {
    return new Lexer(source).read();
  }

  private List<Token> read() {
    while (position < source.length()) {
      char c = source.charAt(position);
      if (Character.isWhitespace(c)) {
        position++;
      } else if (Character.isLetter(c) || c == '_') {
        readName();
      } else if (c >= '0' && c <= '9') {
        readNumber();
      } else if (c == '"' || c == '\'') {
        readText(c);
      } else {
        readSymbol();
      }
    }
    tokens.add(new Token(Kind.END, ""));
    return tokens;
  }

  private void readName() {
    int start = position;
    while (position < source.length() && isNamePart(source.charAt(position))) {
      position++;
    }
    tokens.add(new Token(Kind.NAME, source.substring(start, position)));
  }

  private static boolean isNamePart(char c) {
    return Character.isLetterOrDigit(c) || c == '_';
  }

  private void readNumber() {
    int start = position;
    skipDigits();
    boolean isFloat =
        position + 1 < source.length()
            && source.charAt(position) == '.'
            && Character.isDigit(source.charAt(position + 1));
    if (isFloat) {
      position++;
      skipDigits();
    }
    isFloat |= skipExponent();
    String digits = source.substring(start, position).replace("_", "");
    tokens.add(new Token(isFloat ? Kind.FLOAT : Kind.INTEGER, digits));
  }

  /** Passes over {@code e20} or {@code e-7}, if it is there. */
  private boolean skipExponent() {
    Matcher exponent = EXPONENT.matcher(source).region(position, source.length());
    if (!exponent.lookingAt()) {
      return false;
    }
    position = exponent.end();
    return true;
  }

  private void skipDigits() {
    while (position < source.length()
        && (Character.isDigit(source.charAt(position)) || source.charAt(position) == '_')) {
      position++;
    }
  }

  private void readText(char quote) {
    StringBuilder text = new StringBuilder();
    position++;
    while (position < source.length() && source.charAt(position) != quote) {
      char c = source.charAt(position++);
      if (c == '\\' && position < source.length()) {
        readEscape(text);
      } else {
        text.append(c);
      }
    }
    if (position >= source.length()) {
      throw new TemplateException("a text is not closed in: " + source.strip());
    }
    position++;
    tokens.add(new Token(Kind.TEXT, text.toString()));
  }

  private void readEscape(StringBuilder text) {
    char c = source.charAt(position++);
    switch (c) {
      case 'n' -> text.append('\n');
      case 't' -> text.append('\t');
      case 'r' -> text.append('\r');
      case 'b' -> text.append('\b');
      case 'f' -> text.append('\f');
      case '\\', '\'', '"' -> text.append(c);
      case '\n' -> {}
      case 'x' -> text.append((char) hexadecimal(2));
      case 'u' -> text.append((char) hexadecimal(4));
      case 'U' -> text.appendCodePoint(hexadecimal(8));
      default -> text.append('\\').append(c);
    }
  }

  private int hexadecimal(int digits) {
    try {
      int value = Integer.parseInt(source, position, position + digits, 16);
      position += digits;
      return value;
    } catch (NumberFormatException | IndexOutOfBoundsException e) {
      throw new TemplateException("broken escape in: " + source.strip(), e);
    }
  }

  private void readSymbol() {
    for (String symbol : SYMBOLS) {
      if (source.startsWith(symbol, position)) {
        position += symbol.length();
        tokens.add(new Token(Kind.SYMBOL, symbol));
        return;
      }
    }
    throw new TemplateException(
        "unexpected '" + source.charAt(position) + "' in: " + source.strip());
  }
}
