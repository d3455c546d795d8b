package dev.offload.jobs.rows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A text with places that a row's fields fill: {@code {name}} is the field of that name, <code>{{
 * </code> and <code>}}</code> are braces. A name consists of letters, digits, underscores, hyphens,
 * and spaces between them; whatever else stands between braces is refused, so that no other
 * template language is taken for this one.
 */
public final class Template {
  private static final Pattern PART =
      Pattern.compile(
          "(?<text>[^{}]+)|(?<open>\\{\\{)|(?<close>\\}\\})"
              + "|\\{(?<field>[\\p{L}\\p{N}_-]+(?: +[\\p{L}\\p{N}_-]+)*)\\}");

  private final String text;
  private final List<Part> parts;

  private Template(String text, List<Part> parts) {
    this.text = text;
    this.parts = parts;
  }

  /**
   * Reads a template.
   *
   * @throws IllegalArgumentException if a brace is used in another way, or no field is named; the
   *     message says where
   */
  public static Template parse(String text) {
    List<Part> parts = new ArrayList<>();
    Matcher matcher = PART.matcher(text);
    int end = 0;
    while (end < text.length()) {
      if (!matcher.region(end, text.length()).lookingAt()) {
        throw new IllegalArgumentException(mistake(text, end));
      }
      parts.add(part(matcher));
      end = matcher.end();
    }
    if (parts.stream().noneMatch(Field.class::isInstance)) {
      throw new IllegalArgumentException(
          "it names no field, so that all rows would be the same; write {text} where the field"
              + " named text belongs");
    }
    return new Template(text, List.copyOf(parts));
  }

  private static Part part(Matcher matcher) {
    if (matcher.group("field") != null) {
      return new Field(matcher.group("field"));
    }
    if (matcher.group("open") != null) {
      return new Literal("{");
    }
    return new Literal(matcher.group("close") != null ? "}" : matcher.group("text"));
  }

  private static String mistake(String text, int at) {
    int line = 1 + (int) text.substring(0, at).chars().filter(c -> c == '\n').count();
    int column = at - text.lastIndexOf('\n', at - 1);
    return "'%s' at line %d, column %d is neither a field such as {text} nor a brace, which is %s"
        .formatted(excerpt(text, at), line, column, "written {{ or }}");
  }

  /** The braces in question, as far as they can be shown on one line. */
  private static String excerpt(String text, int at) {
    int close = text.charAt(at) == '{' ? text.indexOf('}', at) : at;
    int end = close < 0 ? text.length() : close + 1;
    int most =
        Math.min(end, text.offsetByCodePoints(at, Math.min(20, text.codePointCount(at, end))));
    return text.substring(at, most).replace("\n", "\\n");
  }

  /** The fields that are named, in the order of their first use. */
  public Set<String> fields() {
    Set<String> names = new LinkedHashSet<>();
    for (Part part : parts) {
      if (part instanceof Field(String name)) {
        names.add(name);
      }
    }
    return names;
  }

  /**
   * Fills in a row's fields. Numbers are written as the row writes them, truth values as true and
   * false.
   *
   * @throws RowException if a field is missing, null, an object or an array
   */
  String fill(ObjectNode row) throws RowException {
    StringBuilder filled = new StringBuilder();
    for (Part part : parts) {
      switch (part) {
        case Literal(String literal) -> filled.append(literal);
        case Field(String name) -> filled.append(value(row, name));
      }
    }
    return filled.toString();
  }

  /** The template as it was written. */
  @Override
  public String toString() {
    return text;
  }

  private static String value(ObjectNode row, String name) throws RowException {
    JsonNode value = row.get(name);
    if (value == null || value.isNull()) {
      throw new RowException("field " + name + " is missing, which the template names");
    }
    return Fields.scalar(name, value);
  }

  private sealed interface Part {}

  private record Literal(String text) implements Part {}

  private record Field(String name) implements Part {}
}
