package dev.offload.tensors.json;

import com.fasterxml.jackson.databind.JsonNode;
import dev.offload.tensors.ModelException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The fields of one JSON object, typed and ranged. A field that is null counts as absent. Remembers
 * which fields were asked for, so that options nobody understands can be refused. Every error is a
 * {@link ModelException} that names file, field and value. Not thread-safe.
 */
public final class JsonFields {
  private final Path file;
  private final String prefix;
  private final JsonNode node;
  private final Set<String> asked = new HashSet<>();

  JsonFields(Path file, JsonNode node) {
    this(file, "", node);
  }

  private JsonFields(Path file, String prefix, JsonNode node) {
    this.file = file;
    this.prefix = prefix;
    this.node = node;
  }

  /** The file this was read from. */
  public Path file() {
    return file;
  }

  /** Names of all fields that are there and not null. */
  public List<String> names() {
    List<String> names = new ArrayList<>();
    node.properties().forEach(field -> addUnlessNull(names, field.getKey(), field.getValue()));
    return names;
  }

  /** Whether a field was asked for. */
  public boolean wasAsked(String name) {
    return asked.contains(name);
  }

  /** Whether a field is there and not null. */
  public boolean has(String name) {
    return value(name) != null;
  }

  /** Whether a field says anything: it is there and neither null, false, nor an empty list. */
  public boolean isSet(String name) {
    JsonNode value = node.get(name);
    return value != null
        && !value.isNull()
        && !(value.isBoolean() && !value.booleanValue())
        && !(value.isContainerNode() && value.isEmpty());
  }

  /** A whole number within bounds that must be there. */
  public int integer(String name, int least, int most) {
    return (int) wholeNumber(name, required(name, "a whole number"), least, most);
  }

  /** A whole number within bounds; {@code absent} if it is not there. */
  public int integer(String name, int least, int most, int absent) {
    JsonNode value = value(name);
    return value == null ? absent : (int) wholeNumber(name, value, least, most);
  }

  /** A whole number within bounds, which may be beyond those of an int, that must be there. */
  public long longInteger(String name, long least, long most) {
    return wholeNumber(name, required(name, "a whole number"), least, most);
  }

  /** A finite number within bounds that must be there. */
  public double number(String name, double least, double most) {
    return finite(name, required(name, "a number"), least, most);
  }

  /** A finite number within bounds; {@code absent} if it is not there. */
  public double number(String name, double least, double most, double absent) {
    JsonNode value = value(name);
    return value == null ? absent : finite(name, value, least, most);
  }

  /** A whole number within bounds, larger than an int perhaps, that must be there. */
  public long count(String name, long least, long most) {
    return wholeNumber(name, required(name, "a whole number"), least, most);
  }

  /** True or false, must be there. */
  public boolean flag(String name) {
    required(name, "true or false");
    return flag(name, false);
  }

  /** True or false; {@code absent} if it is not there. */
  public boolean flag(String name, boolean absent) {
    JsonNode value = value(name);
    if (value == null) {
      return absent;
    }
    if (!value.isBoolean()) {
      throw refuse(name, "must be true or false");
    }
    return value.booleanValue();
  }

  /** A text, if it is there. */
  public Optional<String> text(String name) {
    JsonNode value = value(name);
    if (value == null) {
      return Optional.empty();
    }
    if (!value.isTextual()) {
      throw refuse(name, "must be a text");
    }
    return Optional.of(value.textValue());
  }

  /** A text that must be there. */
  public String requiredText(String name) {
    required(name, "a text");
    return text(name).orElseThrow();
  }

  /** An object that must be there. */
  public JsonFields requiredObject(String name) {
    required(name, "an object");
    return object(name).orElseThrow();
  }

  /** Objects from a list that must be there. */
  public List<JsonFields> requiredObjects(String name) {
    JsonNode list = required(name, "a list of objects");
    if (!list.isArray()) {
      throw refuse(name, "must be a list of objects");
    }
    List<JsonFields> objects = new ArrayList<>();
    for (JsonNode element : list) {
      if (!element.isObject()) {
        throw refuse(name, "must be a list of objects");
      }
      objects.add(
          new JsonFields(file, "%s%s[%d].".formatted(prefix, name, objects.size()), element));
    }
    return objects;
  }

  /** Refuses the first field that nobody asked for. */
  public void refuseUnasked() {
    for (String name : names()) {
      if (!asked.contains(name)) {
        throw refuse(name, "is no field of this file; remove it or correct its name");
      }
    }
  }

  /** An object, if it is there. */
  public Optional<JsonFields> object(String name) {
    JsonNode value = value(name);
    if (value == null) {
      return Optional.empty();
    }
    if (!value.isObject()) {
      throw refuse(name, "must be an object");
    }
    return Optional.of(new JsonFields(file, prefix + name + ".", value));
  }

  /** Objects of a list; empty if it is not there. */
  public List<JsonFields> objects(String name) {
    List<JsonFields> objects = new ArrayList<>();
    for (JsonNode element : elements(name)) {
      if (!element.isObject()) {
        throw refuse(name, "must be a list of objects");
      }
      objects.add(new JsonFields(file, prefix + name + "[" + objects.size() + "].", element));
    }
    return objects;
  }

  /** Whole numbers within bounds, from a list or a single number; empty if it is not there. */
  public List<Integer> integers(String name, int least, int most) {
    List<Integer> numbers = new ArrayList<>();
    for (JsonNode element : elements(name)) {
      numbers.add((int) wholeNumber(name, element, least, most));
    }
    return numbers;
  }

  /** Finite numbers within bounds, from a list or a single number; empty if it is not there. */
  public List<Double> numbers(String name, double least, double most) {
    List<Double> numbers = new ArrayList<>();
    for (JsonNode element : elements(name)) {
      numbers.add(finite(name, element, least, most));
    }
    return numbers;
  }

  /** Texts, from a list or a single text; empty if it is not there. */
  public List<String> texts(String name) {
    List<String> texts = new ArrayList<>();
    for (JsonNode element : elements(name)) {
      if (!element.isTextual()) {
        throw refuse(name, "must be a list of texts");
      }
      texts.add(element.textValue());
    }
    return texts;
  }

  /** The field as JSON, shortened, for messages. */
  public String shown(String name) {
    JsonNode value = node.get(name);
    return value == null ? "absent" : shortened(value.toString());
  }

  /** An error about a field: {@code file: field is value, why}. */
  public ModelException refuse(String name, String why) {
    return new ModelException(file + ": " + prefix + name + " is " + shown(name) + "; it " + why);
  }

  private JsonNode value(String name) {
    asked.add(name);
    JsonNode value = node.get(name);
    return value == null || value.isNull() ? null : value;
  }

  private JsonNode required(String name, String what) {
    JsonNode value = value(name);
    if (value == null) {
      throw new ModelException(file + ": " + prefix + name + " is missing; it must be " + what);
    }
    return value;
  }

  private long wholeNumber(String name, JsonNode value, long least, long most) {
    if (!value.isNumber()
        || !isExactInteger(value)
        || value.longValue() < least
        || value.longValue() > most) {
      throw refuse(name, "must be a whole number from " + least + " to " + most);
    }
    return value.longValue();
  }

  private static boolean isExactInteger(JsonNode value) {
    return value.isIntegralNumber()
        ? value.canConvertToLong()
        : value.doubleValue() == Math.rint(value.doubleValue())
            && Math.abs(value.doubleValue()) < 1e15;
  }

  private double finite(String name, JsonNode value, double least, double most) {
    if (!value.isNumber() || !(value.doubleValue() >= least && value.doubleValue() <= most)) {
      throw refuse(name, "must be a number from " + least + " to " + most);
    }
    return value.doubleValue();
  }

  private Iterable<JsonNode> elements(String name) {
    JsonNode value = value(name);
    if (value == null) {
      return List.of();
    }
    return value.isArray() ? value : List.of(value);
  }

  private static void addUnlessNull(List<String> names, String name, JsonNode value) {
    if (!value.isNull()) {
      names.add(name);
    }
  }

  private static String shortened(String text) {
    return text.length() <= 80 ? text : text.substring(0, 77) + "...";
  }
}
