package dev.offload.jobs.rows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;

/**
 * Fields of a JSON object that must be there and within a range, for files that programs write.
 * Messages name field, value and what is allowed.
 */
public final class CheckedFields {
  private final JsonNode object;
  private final String prefix;

  private CheckedFields(JsonNode object, String prefix) {
    this.object = object;
    this.prefix = prefix;
  }

  /** The fields of a row. */
  public static CheckedFields of(ObjectNode row) {
    return new CheckedFields(row, "");
  }

  /** The fields of an object in a field. */
  public CheckedFields object(String name) throws RowException {
    JsonNode value = required(name);
    if (!value.isObject()) {
      throw Fields.wrong(prefix + name, value, "an object");
    }
    return new CheckedFields(value, prefix + name + ".");
  }

  /** The objects in an array of at most {@code most}. */
  public List<CheckedFields> objects(String name, int most) throws RowException {
    JsonNode value = required(name);
    if (!value.isArray()) {
      throw Fields.wrong(prefix + name, value, "an array");
    }
    if (value.size() > most) {
      throw new RowException(
          prefix + name + " has " + value.size() + " elements, must have at most " + most);
    }
    List<CheckedFields> objects = new ArrayList<>(value.size());
    for (JsonNode each : value) {
      String path = prefix + name + "[" + objects.size() + "]";
      if (!each.isObject()) {
        throw Fields.wrong(path, each, "an object");
      }
      objects.add(new CheckedFields(each, path + "."));
    }
    return objects;
  }

  /** Whether the field is there and not null. */
  public boolean has(String name) {
    return object.hasNonNull(name);
  }

  /** A text of at most {@code most} characters on one line. */
  public String text(String name, int most) throws RowException {
    String text = Fields.text(prefix + name, required(name));
    if (text.isBlank()
        || text.length() > most
        || text.codePoints().anyMatch(Character::isISOControl)) {
      throw new RowException(
          "%s must be a text of 1 to %d characters on one line".formatted(prefix + name, most));
    }
    return text;
  }

  /** What messages call a field. */
  public String path(String name) {
    return prefix + name;
  }

  /** A number from {@code least} to {@code most}. */
  public double number(String name, double least, double most) throws RowException {
    return number(prefix + name, required(name), least, most);
  }

  /** A whole number from {@code least} to {@code most}. */
  public int whole(String name, int least, int most) throws RowException {
    JsonNode value = required(name);
    if (!value.isIntegralNumber() || !value.canConvertToInt()) {
      throw Fields.wrong(prefix + name, value, range("a whole number", least, most));
    }
    return (int) number(prefix + name, value, least, most);
  }

  /** True or false. */
  public boolean flag(String name) throws RowException {
    JsonNode value = required(name);
    if (!value.isBoolean()) {
      throw Fields.wrong(prefix + name, value, "true or false");
    }
    return value.booleanValue();
  }

  /** An array of {@code count} numbers from {@code least} to {@code most}. */
  public double[] numbers(String name, int count, double least, double most) throws RowException {
    JsonNode value = required(name);
    if (!value.isArray() || value.size() != count) {
      String given = value.isArray() ? "an array of " + value.size() : Fields.describe(value);
      throw new RowException(
          prefix + name + " is " + given + ", must be an array of " + count + " numbers");
    }
    double[] numbers = new double[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = number(prefix + name + "[" + i + "]", value.get(i), least, most);
    }
    return numbers;
  }

  private static double number(String path, JsonNode value, double least, double most)
      throws RowException {
    double number = value.doubleValue();
    if (!value.isNumber() || !(number >= least && number <= most)) {
      throw Fields.wrong(path, value, range("a number", least, most));
    }
    return number;
  }

  private JsonNode required(String name) throws RowException {
    JsonNode value = object.get(name);
    if (value == null || value.isNull()) {
      throw new RowException(prefix + name + " is missing; add it");
    }
    return value;
  }

  private static String range(String kind, double least, double most) {
    return kind + " from " + plain(least) + " to " + plain(most);
  }

  private static String plain(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e7
        ? Long.toString((long) value)
        : Double.toString(value);
  }
}
