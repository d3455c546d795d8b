package dev.offload.text.jinja;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The two ways of Python to put values into a text, in their simple forms. */
final class StringFormat {
  private static final Pattern PERCENT = Pattern.compile("%([sdr%])");
  private static final Pattern BRACES = Pattern.compile("\\{\\{|}}|\\{(\\d*)}");

  private StringFormat() {}

  /** {@code format % values} with %s, %d, %r and %%. */
  static String percent(String format, Object values) {
    List<?> given = values instanceof List<?> list ? list : List.of(values);
    StringBuilder text = new StringBuilder();
    Matcher matcher = PERCENT.matcher(format);
    int next = 0;
    while (matcher.find()) {
      String kind = matcher.group(1);
      String part = kind.equals("%") ? "%" : one(kind, given, next++);
      matcher.appendReplacement(text, Matcher.quoteReplacement(part));
    }
    return matcher.appendTail(text).toString();
  }

  private static String one(String kind, List<?> values, int index) {
    if (index >= values.size()) {
      throw new TemplateException("a format needs more values than there are");
    }
    Object value = values.get(index);
    return switch (kind) {
      case "d" -> Long.toString(Values.number(value).longValue());
      case "r" -> PythonText.repr(value);
      default -> Values.text(value);
    };
  }

  /** {@code format.format(values…)} with {} and {0}. */
  static String braces(String format, List<Object> values) {
    StringBuilder text = new StringBuilder();
    Matcher matcher = BRACES.matcher(format);
    int next = 0;
    while (matcher.find()) {
      String found = matcher.group();
      String part = found.equals("{{") ? "{" : "}";
      if (matcher.group(1) != null) {
        int index = matcher.group(1).isEmpty() ? next++ : Integer.parseInt(matcher.group(1));
        part = one("s", values, index);
      }
      matcher.appendReplacement(text, Matcher.quoteReplacement(part));
    }
    return matcher.appendTail(text).toString();
  }
}
