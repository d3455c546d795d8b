package dev.offload.text.jinja;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Writes JSON exactly as Python's {@code json.dumps(value, ensure_ascii=False)} does. */
final class PythonJson {
  private final StringBuilder out = new StringBuilder();
  private final String indent;
  private final boolean sortKeys;
  private final boolean ascii;
  private final String itemSeparator;
  private final String keySeparator;

  private PythonJson(Map<String, Object> options) {
    Object width = options.getOrDefault("indent", None.NONE);
    indent =
        width == None.NONE
            ? null
            : width instanceof String text ? text : " ".repeat(Values.index(width));
    sortKeys = Values.truth(options.get("sort_keys"));
    ascii = Values.truth(options.get("ensure_ascii"));
    if (options.get("separators") instanceof List<?> separators && separators.size() == 2) {
      itemSeparator = Values.text(separators.get(0));
      keySeparator = Values.text(separators.get(1));
    } else {
      itemSeparator = indent == null ? ", " : ",";
      keySeparator = ": ";
    }
  }

  /**
   * @param options indent, separators, sort_keys and ensure_ascii as Python has them
   */
  static String write(Object value, Map<String, Object> options) {
    PythonJson json = new PythonJson(options);
    json.write(value, 0);
    return json.out.toString();
  }

  private void write(Object value, int depth) {
    switch (value) {
      case null -> throw new TemplateException("tojson of an undefined value");
      case None none -> out.append("null");
      case Boolean truth -> out.append(truth);
      case Double number -> out.append(PythonText.number(number));
      case Number number -> out.append(number);
      case String text -> writeText(text);
      case List<?> list -> writeList(list, depth);
      case Map<?, ?> map -> writeMap(map, depth);
      default -> throw new TemplateException("tojson of " + PythonText.kind(value));
    }
  }

  private void writeList(List<?> list, int depth) {
    if (list.isEmpty()) {
      out.append("[]");
      return;
    }
    out.append('[');
    String separator = "";
    for (Object item : list) {
      out.append(separator);
      breakLine(depth + 1);
      write(item, depth + 1);
      separator = itemSeparator;
    }
    breakLine(depth);
    out.append(']');
  }

  private void writeMap(Map<?, ?> map, int depth) {
    if (map.isEmpty()) {
      out.append("{}");
      return;
    }
    out.append('{');
    String separator = "";
    for (Map.Entry<?, ?> entry : (sortKeys ? new TreeMap<>(map) : map).entrySet()) {
      out.append(separator);
      breakLine(depth + 1);
      writeText(Values.text(entry.getKey()));
      out.append(keySeparator);
      write(entry.getValue(), depth + 1);
      separator = itemSeparator;
    }
    breakLine(depth);
    out.append('}');
  }

  private void breakLine(int depth) {
    if (indent != null) {
      out.append('\n').append(indent.repeat(depth));
    }
  }

  private void writeText(String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        default -> {
          if (c < ' ' || (ascii && c > '~')) {
            out.append("\\u%04x".formatted((int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }
}
