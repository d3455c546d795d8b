package dev.offload.jobs.rows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.offload.constraint.TextConstraint;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Reads what rows demand of their answers' text. Each different demand is compiled once, as long as
 * memory set aside for it lasts. Owned by one thread.
 */
final class Constraints {
  /** States of automata that are kept, of up to about 100 bytes each. */
  private static final long KEPT_STATES = 1 << 20;

  private final Cache<String, TextConstraint> compiled =
      Caffeine.newBuilder()
          .executor(Runnable::run)
          .maximumWeight(KEPT_STATES)
          .weigher((String text, TextConstraint constraint) -> constraint.states())
          .build();

  /**
   * The row's {@code response_format}, as in OpenAI's API.
   *
   * @throws RowException naming the field that is wrong
   */
  Optional<TextConstraint> responseFormat(Fields fields) throws RowException {
    Optional<JsonNode> given = fields.find("response_format");
    if (given.isEmpty()) {
      return Optional.empty();
    }
    String path = fields.path("response_format");
    Fields format = new Fields(object(path, given.get()), path + ".");
    String type = format.text("type").orElseThrow(() -> format.wrong("type", "is missing"));
    Optional<TextConstraint> constraint =
        switch (type) {
          case "text" -> Optional.empty();
          case "json_object" -> Optional.of(compiled.get(type, key -> TextConstraint.jsonObject()));
          case "json_schema" -> Optional.of(schema(format));
          default ->
              throw Fields.wrong(
                  format.path("type"), given.get().get("type"), "text, json_object or json_schema");
        };
    format.refuseOthers();
    return constraint;
  }

  private TextConstraint schema(Fields format) throws RowException {
    JsonNode given =
        format.find("json_schema").orElseThrow(() -> format.wrong("json_schema", "is missing"));
    String path = format.path("json_schema");
    Fields named = new Fields(object(path, given), path + ".");
    named.ignore("name");
    named.ignore("description");
    named.flag("strict", true); // what is written is valid in any case
    JsonNode schema = named.find("schema").orElseThrow(() -> named.wrong("schema", "is missing"));
    named.refuseOthers();
    String text = schema.toString();
    return compile(named.path("schema"), "schema " + text, () -> TextConstraint.jsonSchema(text));
  }

  private static ObjectNode object(String path, JsonNode value) throws RowException {
    if (value instanceof ObjectNode object) {
      return object;
    }
    throw Fields.wrong(path, value, "an object");
  }

  /**
   * The row's {@code regex}, which its text must match from beginning to end.
   *
   * @throws RowException if it is wrong
   */
  Optional<TextConstraint> regex(Fields fields) throws RowException {
    Optional<String> regex = fields.text("regex");
    return regex.isEmpty()
        ? Optional.empty()
        : Optional.of(
            compile(
                fields.path("regex"),
                "regex " + regex.get(),
                () -> TextConstraint.regex(regex.get())));
  }

  private TextConstraint compile(String path, String key, Supplier<TextConstraint> compiler)
      throws RowException {
    try {
      return compiled.get(key, absent -> compiler.get());
    } catch (IllegalArgumentException e) {
      throw new RowException(path + ": " + e.getMessage(), e);
    }
  }
}
