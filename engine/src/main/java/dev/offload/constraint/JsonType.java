package dev.offload.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** The types of JSON schema, in the order in which a value's alternatives are built. */
enum JsonType {
  NULL,
  BOOLEAN,
  INTEGER,
  NUMBER,
  STRING,
  ARRAY,
  OBJECT;

  static Optional<JsonType> named(String name) {
    return Arrays.stream(values())
        .filter(type -> type.name().toLowerCase(Locale.ROOT).equals(name))
        .findFirst();
  }

  /** Whether a value is of this type. */
  boolean has(JsonNode value) {
    return switch (this) {
      case NULL -> value.isNull();
      case BOOLEAN -> value.isBoolean();
      case INTEGER -> value.isNumber() && value.canConvertToExactIntegral();
      case NUMBER -> value.isNumber();
      case STRING -> value.isTextual();
      case ARRAY -> value.isArray();
      case OBJECT -> value.isObject();
    };
  }
}
