package dev.offload.constraint;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import dev.offload.constraint.JsonGrammar.Property;
import java.math.BigDecimal;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.lucene.util.automaton.Automata;
import org.apache.lucene.util.automaton.Automaton;
import org.apache.lucene.util.automaton.Operations;

/**
 * Turns a JSON schema (draft 2020-12) into an automaton whose texts are valid against it. Not all
 * valid texts are accepted: properties come in the schema's order, and only those that it names.
 * What could not be guaranteed is refused with its JSON pointer. Owned by one thread.
 */
final class SchemaCompiler {
  /** Keywords that say nothing about what is valid. */
  private static final Set<String> ANNOTATIONS =
      Set.of(
          "title",
          "description",
          "default",
          "examples",
          "deprecated",
          "readOnly",
          "writeOnly",
          "$schema",
          "$comment",
          "$defs",
          "definitions");

  private static final Map<String, JsonType> KEYWORDS_OF_TYPES =
      Map.ofEntries(
          Map.entry("minLength", JsonType.STRING),
          Map.entry("maxLength", JsonType.STRING),
          Map.entry("pattern", JsonType.STRING),
          Map.entry("minimum", JsonType.NUMBER),
          Map.entry("maximum", JsonType.NUMBER),
          Map.entry("exclusiveMinimum", JsonType.NUMBER),
          Map.entry("exclusiveMaximum", JsonType.NUMBER),
          Map.entry("items", JsonType.ARRAY),
          Map.entry("minItems", JsonType.ARRAY),
          Map.entry("maxItems", JsonType.ARRAY),
          Map.entry("properties", JsonType.OBJECT),
          Map.entry("required", JsonType.OBJECT),
          Map.entry("additionalProperties", JsonType.OBJECT));

  private static final Set<String> GENERAL =
      Set.of("type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref");

  private static final int MAX_OPEN = 50;
  private static final int MAX_BOUND_DIGITS = 1000;
  private static final List<String> BOUNDS =
      List.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum");
  private static final BigDecimal FARTHEST = BigDecimal.TEN.pow(JsonGrammar.MAX_DIGITS);

  private final JsonNode root;
  private final Map<String, Automaton> referred = new HashMap<>();
  private final Set<String> open = new LinkedHashSet<>();

  private SchemaCompiler(JsonNode root) {
    this.root = root;
  }

  /**
   * @throws IllegalArgumentException if the schema is broken, or uses what is not supported
   */
  static Automaton compile(JsonNode schema) {
    SchemaCompiler compiler = new SchemaCompiler(schema);
    compiler.open.add("#");
    return compiler.value(new Place(schema, "#"));
  }

  /** A part of the schema, and where it stands. */
  private record Place(JsonNode node, String pointer) {
    Place at(String keyword) {
      String escaped = keyword.replace("~", "~0").replace("/", "~1");
      return new Place(node.get(keyword), pointer + "/" + escaped);
    }

    Place at(int index) {
      return new Place(node.get(index), pointer + "/" + index);
    }

    boolean has(String keyword) {
      return node.has(keyword);
    }

    IllegalArgumentException refusal(String what) {
      return new IllegalArgumentException("schema " + pointer + ": " + what);
    }

    IllegalArgumentException notSupported(String advice) {
      return refusal("this is not supported; " + advice);
    }
  }

  private Automaton value(Place schema) {
    if (schema.node().isBoolean() && schema.node().booleanValue()) {
      return JsonGrammar.any(JsonGrammar.FREE_DEPTH);
    }
    if (!schema.node().isObject()) {
      throw schema.refusal(
          schema.node().isBoolean()
              ? "nothing is valid against false"
              : "a schema must be an object, true or false");
    }
    checkKeywords(schema);
    List<Automaton> conditions = new ArrayList<>();
    for (String keyword : new String[] {"$ref", "anyOf", "oneOf", "allOf", "enum", "const"}) {
      if (schema.has(keyword)) {
        conditions.add(condition(schema, keyword));
      }
    }
    if (conditions.isEmpty() || hasTypeKeywords(schema)) {
      conditions.add(ofTypes(schema));
    }
    return all(schema, conditions);
  }

  private static Automaton all(Place schema, List<Automaton> conditions) {
    Automaton all = conditions.getFirst();
    for (Automaton condition : conditions.subList(1, conditions.size())) {
      all = BoundedAutomata.intersection(all, condition);
      if (Operations.isEmpty(all)) {
        throw schema.refusal("its keywords leave no value that can be written");
      }
    }
    return all;
  }

  private static void checkKeywords(Place schema) {
    for (Map.Entry<String, JsonNode> entry : schema.node().properties()) {
      String keyword = entry.getKey();
      boolean rootId = keyword.equals("$id") && schema.pointer().equals("#");
      if (!rootId
          && !GENERAL.contains(keyword)
          && !KEYWORDS_OF_TYPES.containsKey(keyword)
          && !ANNOTATIONS.contains(keyword)) {
        throw schema.at(keyword).notSupported("leave it out or say it in another way");
      }
    }
  }

  /** Whether anything must hold by type that enum and const do not decide by themselves. */
  private static boolean hasTypeKeywords(Place schema) {
    boolean values = schema.has("enum") || schema.has("const");
    return (schema.has("type") && !values)
        || KEYWORDS_OF_TYPES.keySet().stream().anyMatch(schema::has);
  }

  private Automaton condition(Place schema, String keyword) {
    Place place = schema.at(keyword);
    return switch (keyword) {
      case "$ref" -> reference(place);
      case "anyOf" -> union(place);
      case "oneOf" -> {
        requireDifferentTypes(place);
        yield union(place);
      }
      case "allOf" -> {
        if (branches(place).size() > 1) {
          throw place.notSupported("only one schema can stand in allOf; put them together");
        }
        yield value(place.at(0));
      }
      case "enum" -> {
        if (!place.node().isArray() || place.node().isEmpty()) {
          throw place.refusal("it must be an array of at least one value");
        }
        yield values(schema, place, place.node());
      }
      default -> values(schema, place, List.of(place.node()));
    };
  }

  private Automaton reference(Place place) {
    String target = text(place);
    if (!target.startsWith("#")) {
      throw place.notSupported("a reference must begin with #, such as #/$defs/name");
    }
    Automaton known = referred.get(target);
    if (known != null) {
      return known;
    }
    JsonNode schema = find(place, target);
    if (!open.add(target)) {
      throw place.notSupported(
          "%s contains itself, and what is nested without end cannot be guaranteed; write out as many levels as are needed"
              .formatted(target));
    }
    if (open.size() > MAX_OPEN) {
      throw place.notSupported(
          "references lead from one to the next more than %d times".formatted(MAX_OPEN));
    }
    Automaton compiled = value(new Place(schema, target));
    open.remove(target);
    referred.put(target, compiled);
    return compiled;
  }

  private JsonNode find(Place place, String target) {
    try {
      String pointer =
          URLDecoder.decode(target.substring(1).replace("+", "%2B"), StandardCharsets.UTF_8);
      JsonNode found = root.at(JsonPointer.compile(pointer));
      if (!found.isMissingNode()) {
        return found;
      }
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          place.refusal("'%s' is no JSON pointer".formatted(target)).getMessage(), e);
    }
    throw place.refusal("there is no '%s' in the schema".formatted(target));
  }

  private Automaton union(Place place) {
    return BoundedAutomata.union(branches(place).stream().map(this::value).toList());
  }

  private static List<Place> branches(Place place) {
    if (!place.node().isArray() || place.node().isEmpty()) {
      throw place.refusal("it must be an array of at least one schema");
    }
    List<Place> branches = new ArrayList<>();
    for (int i = 0; i < place.node().size(); i++) {
      branches.add(place.at(i));
    }
    return branches;
  }

  /** If no value has the types of two branches, at most one branch is ever valid. */
  private static void requireDifferentTypes(Place place) {
    Set<JsonType> seen = EnumSet.noneOf(JsonType.class);
    for (Place branch : branches(place)) {
      boolean told = branch.node().isObject() && branch.has("type");
      for (JsonType type : told ? types(branch) : EnumSet.noneOf(JsonType.class)) {
        told &= seen.add(type == JsonType.INTEGER ? JsonType.NUMBER : type);
      }
      if (!told) {
        throw place.notSupported(
            "its schemas must name different types, so that only one can be valid; or use anyOf");
      }
    }
  }

  private static Automaton values(Place schema, Place place, Iterable<JsonNode> values) {
    List<Automaton> texts = new ArrayList<>();
    for (JsonNode value : values) {
      boolean typed =
          !schema.has("type") || types(schema).stream().anyMatch(type -> type.has(value));
      if (typed) {
        texts.add(constant(place, value));
      }
    }
    if (texts.isEmpty()) {
      throw place.refusal("no value has the type that the schema asks for");
    }
    return BoundedAutomata.union(texts);
  }

  private static Automaton constant(Place place, JsonNode value) {
    if (value.isObject()) {
      List<Property> properties = new ArrayList<>();
      for (Map.Entry<String, JsonNode> entry : value.properties()) {
        properties.add(
            new Property(whole(place, entry.getKey()), constant(place, entry.getValue()), true));
      }
      return JsonGrammar.object(properties);
    }
    if (value.isArray()) {
      return JsonGrammar.tuple(value.valueStream().map(each -> constant(place, each)).toList());
    }
    return value.isTextual()
        ? JsonGrammar.string(Automata.makeString(whole(place, value.textValue())))
        : Automata.makeString(value.asText());
  }

  /** A text that UTF-8 can write. */
  private static String whole(Place place, String text) {
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
      throw place.refusal("a text has half of a surrogate pair");
    }
    return text;
  }

  private Automaton ofTypes(Place schema) {
    List<Automaton> kinds = new ArrayList<>();
    Set<JsonType> types = types(schema);
    if (types.isEmpty()) {
      return JsonGrammar.any(JsonGrammar.FREE_DEPTH);
    }
    for (JsonType type : types) {
      kinds.add(
          switch (type) {
            case NULL -> JsonGrammar.NULL;
            case BOOLEAN -> JsonGrammar.BOOLEAN;
            case STRING -> string(schema);
            case INTEGER -> number(schema, true);
            case NUMBER -> number(schema, false);
            case ARRAY -> array(schema);
            case OBJECT -> object(schema);
          });
    }
    return BoundedAutomata.union(kinds);
  }

  /** The types that are named, otherwise those that keywords speak of; none for any type. */
  private static Set<JsonType> types(Place schema) {
    Set<JsonType> types = EnumSet.noneOf(JsonType.class);
    if (!schema.has("type")) {
      KEYWORDS_OF_TYPES.forEach(
          (keyword, type) -> types.addAll(schema.has(keyword) ? Set.of(type) : Set.of()));
      return types;
    }
    Place place = schema.at("type");
    List<JsonNode> names =
        place.node().isArray() ? place.node().valueStream().toList() : List.of(place.node());
    for (JsonNode name : names) {
      types.add(
          JsonType.named(name.asText())
              .orElseThrow(() -> place.refusal("%s is no type".formatted(name))));
    }
    if (types.isEmpty()) {
      throw place.refusal("it names no type");
    }
    if (types.contains(JsonType.NUMBER)) {
      types.remove(JsonType.INTEGER);
    }
    return types;
  }

  private static Automaton string(Place schema) {
    int least = count(schema, "minLength", 0);
    int most = count(schema, "maxLength", -1);
    requireOrder(schema, least, most);
    Automaton length = JsonGrammar.characters(least, most);
    if (!schema.has("pattern")) {
      return JsonGrammar.string(length);
    }
    Place pattern = schema.at("pattern");
    Automaton matching;
    try {
      matching = RegexParser.found(text(pattern));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(pattern.refusal(e.getMessage()).getMessage(), e);
    }
    Automaton texts =
        least == 0 && most < 0
            ? BoundedAutomata.determinized(matching)
            : BoundedAutomata.intersection(matching, length);
    if (Operations.isEmpty(texts)) {
      throw pattern.refusal("no text of the allowed length matches");
    }
    return JsonGrammar.string(texts);
  }

  private static Automaton number(Place schema, boolean whole) {
    if (BOUNDS.stream().noneMatch(schema::has)) {
      return whole ? JsonGrammar.INTEGER : JsonGrammar.NUMBER;
    }
    BigDecimal least = bound(schema, "minimum", FARTHEST.negate());
    BigDecimal above = bound(schema, "exclusiveMinimum", FARTHEST.negate());
    BigDecimal most = bound(schema, "maximum", FARTHEST);
    BigDecimal below = bound(schema, "exclusiveMaximum", FARTHEST);
    Automaton numbers =
        new NumberRange(
                least.max(above),
                above.compareTo(least) >= 0,
                most.min(below),
                below.compareTo(most) <= 0,
                whole ? 0 : JsonGrammar.MAX_FRACTION_DIGITS)
            .toAutomaton();
    if (Operations.isEmpty(numbers)) {
      throw schema.refusal("no number that can be written lies between its bounds");
    }
    return numbers;
  }

  private static BigDecimal bound(Place schema, String keyword, BigDecimal otherwise) {
    if (!schema.has(keyword)) {
      return otherwise;
    }
    Place place = schema.at(keyword);
    if (!place.node().isNumber()) {
      throw place.refusal("it must be a number");
    }
    BigDecimal bound = place.node().decimalValue();
    if (Math.abs(bound.scale()) > MAX_BOUND_DIGITS) {
      throw place.notSupported("its exponent is too large");
    }
    return bound;
  }

  private Automaton array(Place schema) {
    int least = count(schema, "minItems", 0);
    int most = count(schema, "maxItems", -1);
    requireOrder(schema, least, most);
    Automaton item =
        schema.has("items")
            ? value(schema.at("items"))
            : JsonGrammar.any(JsonGrammar.FREE_DEPTH - 1);
    return JsonGrammar.array(item, least, most);
  }

  private Automaton object(Place schema) {
    List<Property> properties = properties(schema, required(schema));
    if (!schema.has("additionalProperties")) {
      return properties.isEmpty() ? JsonGrammar.anyObject() : JsonGrammar.object(properties);
    }
    Place more = schema.at("additionalProperties");
    if (more.node().isBoolean()) {
      boolean free = more.node().booleanValue() && properties.isEmpty();
      return free ? JsonGrammar.anyObject() : JsonGrammar.object(properties);
    }
    Automaton value = value(more);
    return properties.isEmpty() ? JsonGrammar.objectOf(value) : JsonGrammar.object(properties);
  }

  private static Set<String> required(Place schema) {
    Set<String> names = new LinkedHashSet<>();
    if (schema.has("required")) {
      Place place = schema.at("required");
      if (!place.node().isArray()) {
        throw place.refusal("it must be an array of names");
      }
      for (int i = 0; i < place.node().size(); i++) {
        names.add(text(place.at(i)));
      }
    }
    return names;
  }

  private List<Property> properties(Place schema, Set<String> required) {
    List<Property> properties = new ArrayList<>();
    Set<String> missing = new LinkedHashSet<>(required);
    if (schema.has("properties")) {
      Place place = schema.at("properties");
      if (!place.node().isObject()) {
        throw place.refusal("it must be an object");
      }
      for (Map.Entry<String, JsonNode> entry : place.node().properties()) {
        String name = whole(place, entry.getKey());
        properties.add(new Property(name, value(place.at(name)), required.contains(name)));
        missing.remove(name);
      }
    }
    if (!missing.isEmpty()) {
      throw schema
          .at("required")
          .notSupported("properties does not describe %s".formatted(String.join(", ", missing)));
    }
    return properties;
  }

  private static String text(Place place) {
    if (!place.node().isTextual()) {
      throw place.refusal("it must be a text");
    }
    return place.node().textValue();
  }

  private static int count(Place schema, String keyword, int otherwise) {
    if (!schema.has(keyword)) {
      return otherwise;
    }
    JsonNode count = schema.at(keyword).node();
    boolean whole = count.isNumber() && count.canConvertToExactIntegral();
    if (!whole || !count.canConvertToInt() || count.intValue() < 0) {
      throw schema.at(keyword).refusal("%s is no count that fits 32 bits".formatted(count));
    }
    return count.intValue();
  }

  private static void requireOrder(Place schema, int least, int most) {
    if (most >= 0 && most < least) {
      throw schema.refusal("the most, %d, is below the least, %d".formatted(most, least));
    }
  }
}
