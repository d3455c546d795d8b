package dev.offload.text.jinja;

import java.util.List;
import java.util.Map;
import java.util.StringJoiner;

/** How Python writes values: {@code str} outside, {@code repr} inside of lists and dicts. */
final class PythonText {
  private PythonText() {}

  static String of(Object value) {
    return switch (value) {
      case null -> "";
      case String text -> text;
      default -> repr(value);
    };
  }

  static String repr(Object value) {
    return switch (value) {
      case null -> "Undefined";
      case None none -> "None";
      case Boolean truth -> truth ? "True" : "False";
      case Double number -> number(number);
      case String text -> quoted(text);
      case List<?> list -> {
        boolean tuple = list instanceof Tuple;
        String close = tuple && list.size() == 1 ? ",)" : tuple ? ")" : "]";
        StringJoiner items = new StringJoiner(", ", tuple ? "(" : "[", close);
        list.forEach(item -> items.add(repr(item)));
        yield items.toString();
      }
      case Map<?, ?> map -> {
        StringJoiner items = new StringJoiner(", ", "{", "}");
        map.forEach((key, item) -> items.add(repr(key) + ": " + repr(item)));
        yield items.toString();
      }
      default -> value.toString();
    };
  }

  /** Shortest text that reads back as the number, with an exponent below 1e-4 and from 1e16. */
  static String number(double value) {
    if (Double.isNaN(value)) {
      return "nan";
    }
    if (Double.isInfinite(value)) {
      return value > 0 ? "inf" : "-inf";
    }
    double size = Math.abs(value);
    if (size == 0 || (size >= 1e-4 && size < 1e16)) {
      String plain = new java.math.BigDecimal(Double.toString(value)).toPlainString();
      return size == 0 ? Double.toString(value) : plain.contains(".") ? plain : plain + ".0";
    }
    String[] parts = Double.toString(value).split("E", -1);
    String digits =
        parts[0].endsWith(".0") ? parts[0].substring(0, parts[0].length() - 2) : parts[0];
    int exponent = Integer.parseInt(parts[1]);
    return digits + (exponent < 0 ? "e-" : "e+") + "%02d".formatted(Math.abs(exponent));
  }

  private static String quoted(String text) {
    char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
    StringBuilder quoted = new StringBuilder().append(quote);
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '\n' -> quoted.append("\\n");
        case '\r' -> quoted.append("\\r");
        case '\t' -> quoted.append("\\t");
        case '\\' -> quoted.append("\\\\");
        default -> {
          if (c == quote) {
            quoted.append('\\').append(c);
          } else if (c < ' ' || (c >= 0x7f && c <= 0xa0) || c == 0xad) {
            quoted.append("\\x%02x".formatted((int) c));
          } else {
            quoted.append(c);
          }
        }
      }
    }
    return quoted.append(quote).toString();
  }

  /** What kind of value it is, for messages. */
  static String kind(Object value) {
    return switch (value) {
      case null -> "an undefined value";
      case None none -> "none";
      case String text -> "a text";
      case Boolean truth -> "a truth value";
      case Number number -> "a number";
      case List<?> list -> "a list";
      case Map<?, ?> map -> "a mapping";
      default -> "an object";
    };
  }
}
