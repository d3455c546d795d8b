package dev.offload.text.jinja;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Jinja's tests: what follows {@code is}. */
final class Tests {
  private static final Map<String, Test> TESTS =
      Map.ofEntries(
          test("defined", (value, arguments) -> value != null),
          test("undefined", (value, arguments) -> value == null),
          test("none", (value, arguments) -> value == None.NONE),
          test("string", (value, arguments) -> value instanceof String),
          test("mapping", (value, arguments) -> value instanceof Map),
          test("iterable", (value, arguments) -> isIterable(value)),
          test("sequence", (value, arguments) -> isIterable(value)),
          test("number", (value, arguments) -> Values.isNumber(value)),
          test("integer", (value, arguments) -> value instanceof Long),
          test("float", (value, arguments) -> value instanceof Double),
          test("boolean", (value, arguments) -> value instanceof Boolean),
          test("true", (value, arguments) -> Boolean.TRUE.equals(value)),
          test("false", (value, arguments) -> Boolean.FALSE.equals(value)),
          test("callable", (value, arguments) -> value instanceof PyCallable),
          test("odd", (value, arguments) -> Math.floorMod(Values.index(value), 2) == 1),
          test("even", (value, arguments) -> Math.floorMod(Values.index(value), 2) == 0),
          test(
              "divisibleby",
              (value, arguments) -> Values.index(value) % Values.index(one(arguments)) == 0),
          test("in", (value, arguments) -> Operators.contains(one(arguments), value)),
          test("sameas", (value, arguments) -> Values.equal(value, one(arguments))),
          test("eq", (value, arguments) -> Values.equal(value, one(arguments))),
          test("equalto", (value, arguments) -> Values.equal(value, one(arguments))),
          test("ne", (value, arguments) -> !Values.equal(value, one(arguments))),
          test("lt", (value, arguments) -> Values.compare(value, one(arguments)) < 0),
          test("le", (value, arguments) -> Values.compare(value, one(arguments)) <= 0),
          test("gt", (value, arguments) -> Values.compare(value, one(arguments)) > 0),
          test("ge", (value, arguments) -> Values.compare(value, one(arguments)) >= 0),
          test("upper", (value, arguments) -> isUpper(Values.text(value))),
          test("lower", (value, arguments) -> isLower(Values.text(value))));

  private Tests() {}

  @FunctionalInterface
  private interface Test {
    boolean holds(Object value, List<Object> arguments);
  }

  private static Map.Entry<String, Test> test(String name, Test test) {
    return Map.entry(name, test);
  }

  static void require(String name) {
    if (!TESTS.containsKey(name)) {
      throw new TemplateException("there is no test '" + name + "'");
    }
  }

  static boolean apply(String name, Object value, List<Object> arguments) {
    require(name);
    return TESTS.get(name).holds(value, arguments);
  }

  private static Object one(List<Object> arguments) {
    return Methods.first(arguments, "the test");
  }

  private static boolean isIterable(Object value) {
    // Jinja's undefined can be looped over too.
    return value == null
        || value instanceof String
        || value instanceof List
        || value instanceof Map;
  }

  private static boolean isUpper(String text) {
    return text.equals(text.toUpperCase(Locale.ROOT))
        && !text.equals(text.toLowerCase(Locale.ROOT));
  }

  private static boolean isLower(String text) {
    return text.equals(text.toLowerCase(Locale.ROOT))
        && !text.equals(text.toUpperCase(Locale.ROOT));
  }
}
