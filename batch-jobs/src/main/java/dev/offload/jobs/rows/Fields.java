package dev.offload.jobs.rows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashSet;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;

/**
 * Typed access to the fields of a JSON object that remembers what was asked for, so that unknown
 * fields can be refused at the end. A field that is null counts as absent. Owned by one thread.
 */
final class Fields {
  private static final int SHOWN_CHARACTERS = 40;

  private final ObjectNode object;
  private final String prefix;
  private final Set<String> known = new HashSet<>();

  /**
   * @param prefix goes before field names in messages, such as {@code body.}
   */
  Fields(ObjectNode object, String prefix) {
    this.object = object;
    this.prefix = prefix;
  }

  /** The field's value, if it is there and not null. */
  Optional<JsonNode> find(String name) {
    known.add(name);
    JsonNode value = object.get(name);
    return value == null || value.isNull() ? Optional.empty() : Optional.of(value);
  }

  boolean has(String name) {
    return find(name).isPresent();
  }

  Optional<String> text(String name) throws RowException {
    Optional<JsonNode> value = find(name);
    return value.isEmpty() ? Optional.empty() : Optional.of(text(prefix + name, value.get()));
  }

  boolean flag(String name, boolean otherwise) throws RowException {
    Optional<JsonNode> value = find(name);
    if (value.isPresent() && !value.get().isBoolean()) {
      throw wrong(prefix + name, value.get(), "true or false");
    }
    return value.map(JsonNode::booleanValue).orElse(otherwise);
  }

  double number(String name, double otherwise) throws RowException {
    Optional<JsonNode> value = find(name);
    if (value.isPresent() && !value.get().isNumber()) {
      throw wrong(prefix + name, value.get(), "a number");
    }
    return value.map(JsonNode::doubleValue).orElse(otherwise);
  }

  int integer(String name, int otherwise) throws RowException {
    Optional<JsonNode> value = find(name);
    return value.isEmpty() ? otherwise : integer(prefix + name, value.get());
  }

  OptionalLong longInteger(String name) throws RowException {
    Optional<JsonNode> value = find(name);
    if (value.isEmpty()) {
      return OptionalLong.empty();
    }
    if (!value.get().isIntegralNumber() || !value.get().canConvertToLong()) {
      throw wrong(prefix + name, value.get(), "a whole number that fits 64 bits");
    }
    return OptionalLong.of(value.get().longValue());
  }

  /** A field that has no effect here may stand at the one value that asks for nothing. */
  void onlyNeutral(String name, String neutral) throws RowException {
    Optional<JsonNode> value = find(name);
    if (value.isPresent() && !value.get().toString().equals(neutral)) {
      throw new RowException(
          prefix + name + " is " + describe(value.get()) + ", only " + neutral + " is supported");
    }
  }

  /** A field that says nothing about generation, such as whose request it is. */
  void ignore(String name) {
    known.add(name);
  }

  /** Refuses fields that nobody asked for. */
  void refuseOthers() throws RowException {
    for (var names = object.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      if (!known.contains(name)) {
        throw new RowException(
            "unknown field "
                + prefix
                + shown(name)
                + "; known are "
                + String.join(", ", new TreeSet<>(known)));
      }
    }
  }

  /** The field's name as messages call it. */
  String path(String name) {
    return prefix + name;
  }

  RowException wrong(String name, String what) {
    return new RowException(prefix + name + " " + what);
  }

  /** A text without halves of surrogate pairs, which no tokenizer can read. */
  static String text(String path, JsonNode value) throws RowException {
    if (!value.isTextual()) {
      throw wrong(path, value, "a text");
    }
    String text = value.textValue();
    for (int i = 0; i < text.length(); i++) {
      char unit = text.charAt(i);
      boolean pair =
          Character.isHighSurrogate(unit)
              && i + 1 < text.length()
              && Character.isLowSurrogate(text.charAt(i + 1));
      if (Character.isSurrogate(unit) && !pair) {
        throw new RowException(
            "%s has half a surrogate pair (\\u%04x) at character %d"
                .formatted(path, (int) unit, i + 1));
      }
      i += pair ? 1 : 0;
    }
    return text;
  }

  /** A text, or a number or truth value as JSON writes it. */
  static String scalar(String path, JsonNode value) throws RowException {
    if (value.isTextual()) {
      return text(path, value);
    }
    if (!value.isNumber() && !value.isBoolean()) {
      throw wrong(path, value, "a text, a number, true or false");
    }
    return value.asText();
  }

  static int integer(String path, JsonNode value) throws RowException {
    if (!value.isIntegralNumber() || !value.canConvertToInt()) {
      throw wrong(path, value, "a whole number that fits 32 bits");
    }
    return value.intValue();
  }

  static RowException wrong(String path, JsonNode value, String wanted) {
    return new RowException(path + " is " + describe(value) + ", must be " + wanted);
  }

  /** A value as messages show it. */
  static String describe(JsonNode value) {
    return switch (value.getNodeType()) {
      case OBJECT -> "an object";
      case ARRAY -> "an array";
      case MISSING -> "empty";
      case STRING -> "the text \"" + shown(value.textValue()) + "\"";
      default -> shown(value.toString());
    };
  }

  private static String shown(String text) {
    int points = text.codePointCount(0, text.length());
    return points <= SHOWN_CHARACTERS
        ? text
        : text.substring(0, text.offsetByCodePoints(0, SHOWN_CHARACTERS)) + "…";
  }
}
