package dev.offload.text.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Jinja's filters: what follows {@code |}. */
final class Filters {
  private static final Map<String, Filter> FILTERS =
      Map.ofEntries(
          filter("trim", (value, call) -> Methods.strip(Values.text(value), call.positional())),
          filter("tojson", Filters::toJson),
          filter("length", (value, call) -> Values.length(value)),
          filter("count", (value, call) -> Values.length(value)),
          filter("join", Filters::join),
          filter("upper", (value, call) -> Values.text(value).toUpperCase(Locale.ROOT)),
          filter("lower", (value, call) -> Values.text(value).toLowerCase(Locale.ROOT)),
          filter("title", (value, call) -> Methods.title(Values.text(value))),
          filter("capitalize", (value, call) -> Methods.capitalize(Values.text(value))),
          filter("replace", Filters::replace),
          filter("first", (value, call) -> Values.item(Values.items(value), 0L)),
          filter("last", (value, call) -> Values.item(Values.items(value), -1L)),
          filter("list", (value, call) -> Values.items(value)),
          filter("string", (value, call) -> Values.text(value)),
          filter("safe", (value, call) -> Values.text(value)),
          filter("int", Filters::toInt),
          filter("float", Filters::toFloat),
          filter("default", Filters::orDefault),
          filter("d", Filters::orDefault),
          filter(
              "items",
              (value, call) ->
                  value == null ? List.of() : Methods.call(value, "items", List.of(), Map.of())),
          filter(
              "dictsort",
              (value, call) ->
                  sorted(
                      Methods.pairs(asMap(value)), call.named("case_sensitive", false), 0L, false)),
          filter("map", Filters::map),
          filter("select", (value, call) -> choose(value, call, null, true)),
          filter("reject", (value, call) -> choose(value, call, null, false)),
          filter("selectattr", (value, call) -> choose(value, call.rest(), call.at(0), true)),
          filter("rejectattr", (value, call) -> choose(value, call.rest(), call.at(0), false)),
          filter("reverse", Filters::reverse),
          filter("sort", Filters::sort),
          filter("unique", Filters::unique),
          filter("indent", Filters::indent),
          filter("round", Filters::round),
          filter("abs", (value, call) -> absolute(Values.number(value))),
          filter("min", (value, call) -> extreme(value, false)),
          filter("max", (value, call) -> extreme(value, true)),
          filter(
              "sum",
              (value, call) ->
                  Values.items(value).stream().reduce(0L, (a, b) -> Operators.apply("+", a, b))),
          filter(
              "format",
              (value, call) -> StringFormat.percent(Values.text(value), call.positional())));

  private Filters() {}

  @FunctionalInterface
  private interface Filter {
    Object apply(Object value, Call call);
  }

  /** The arguments of one use. */
  private record Call(List<Object> positional, Map<String, Object> named) {
    Object at(int index) {
      if (index >= positional.size()) {
        throw new TemplateException("a filter needs " + (index + 1) + " arguments");
      }
      return positional.get(index);
    }

    Object get(int index, String name, Object fallback) {
      return index < positional.size() ? positional.get(index) : named.getOrDefault(name, fallback);
    }

    boolean named(String name, boolean fallback) {
      return named.containsKey(name) ? Values.truth(named.get(name)) : fallback;
    }

    Call rest() {
      return new Call(positional.subList(1, positional.size()), named);
    }
  }

  private static Map.Entry<String, Filter> filter(String name, Filter filter) {
    return Map.entry(name, filter);
  }

  static void require(String name) {
    if (!FILTERS.containsKey(name)) {
      throw new TemplateException("there is no filter '" + name + "'");
    }
  }

  static Object apply(
      String name, Object value, List<Object> positional, Map<String, Object> named) {
    require(name);
    return FILTERS.get(name).apply(value, new Call(positional, named));
  }

  private static Object toJson(Object value, Call call) {
    if (call.positional().isEmpty()) {
      return PythonJson.write(value, call.named());
    }
    Map<String, Object> options = new java.util.HashMap<>(call.named());
    List<String> names = List.of("ensure_ascii", "indent", "separators", "sort_keys");
    for (int i = 0; i < call.positional().size() && i < names.size(); i++) {
      options.put(names.get(i), call.at(i));
    }
    return PythonJson.write(value, options);
  }

  private static Object join(Object value, Call call) {
    Object attribute = call.get(1, "attribute", null);
    List<Object> items = new ArrayList<>(Values.items(value));
    if (attribute != null) {
      items.replaceAll(item -> path(item, attribute));
    }
    return Methods.join(Values.text(call.get(0, "d", "")), items);
  }

  private static Object replace(Object value, Call call) {
    return Methods.call(Values.text(value), "replace", call.positional(), call.named());
  }

  private static Object toInt(Object value, Call call) {
    Object fallback = call.get(0, "default", 0L);
    try {
      return Values.isNumber(value)
          ? (Object) Values.number(value).longValue()
          : Long.valueOf(Methods.strip(Values.text(value), List.of()));
    } catch (NumberFormatException e) {
      return toFloat(value, call) instanceof Double number ? number.longValue() : fallback;
    }
  }

  private static Object toFloat(Object value, Call call) {
    try {
      return Values.isNumber(value)
          ? (Object) Values.number(value).doubleValue()
          : Double.valueOf(Methods.strip(Values.text(value), List.of()));
    } catch (NumberFormatException e) {
      return call.get(0, "default", 0.0);
    }
  }

  private static Object orDefault(Object value, Call call) {
    boolean falsyToo = Values.truth(call.get(1, "boolean", false));
    boolean replaced = value == null || (falsyToo && !Values.truth(value));
    return replaced ? call.get(0, "default_value", "") : value;
  }

  private static Map<?, ?> asMap(Object value) {
    if (value instanceof Map<?, ?> map) {
      return map;
    }
    throw new TemplateException("dictsort needs a mapping, found " + PythonText.kind(value));
  }

  private static Object map(Object value, Call call) {
    List<Object> items = new ArrayList<>(Values.items(value));
    Object attribute = call.named().get("attribute");
    if (attribute != null) {
      Object fallback = call.named().get("default");
      items.replaceAll(
          item -> {
            Object found = path(item, attribute);
            return found == null ? fallback : found;
          });
      return items;
    }
    String name = Values.requireText(call.at(0), "map");
    items.replaceAll(item -> apply(name, item, call.rest().positional(), call.named()));
    return items;
  }

  /** Follows {@code a.b} from attribute to attribute. */
  private static Object path(Object item, Object path) {
    Object found = item;
    for (String part : Values.text(path).split("\\.", -1)) {
      boolean isIndex = part.chars().allMatch(Character::isDigit) && !part.isEmpty();
      found = isIndex ? Values.item(found, Long.valueOf(part)) : Values.item(found, part);
    }
    return found;
  }

  private static Object choose(Object value, Call call, Object attribute, boolean wanted) {
    List<Object> chosen = new ArrayList<>();
    for (Object item : Values.items(value)) {
      Object subject = attribute == null ? item : path(item, attribute);
      boolean holds =
          call.positional().isEmpty()
              ? Values.truth(subject)
              : Tests.apply(testName(call.at(0)), subject, call.rest().positional());
      if (holds == wanted) {
        chosen.add(item);
      }
    }
    return chosen;
  }

  private static String testName(Object name) {
    return switch (Values.text(name)) {
      case "==" -> "eq";
      case "!=" -> "ne";
      case "<" -> "lt";
      case "<=" -> "le";
      case ">" -> "gt";
      case ">=" -> "ge";
      case String other -> other;
    };
  }

  private static Object reverse(Object value, Call call) {
    if (value instanceof String text) {
      return new StringBuilder(text).reverse().toString();
    }
    List<Object> items = new ArrayList<>(Values.items(value));
    Collections.reverse(items);
    return items;
  }

  private static Object sort(Object value, Call call) {
    boolean falling = Values.truth(call.get(0, "reverse", false));
    boolean exact = Values.truth(call.get(1, "case_sensitive", false));
    return sorted(Values.items(value), exact, call.get(2, "attribute", null), falling);
  }

  private static List<Object> sorted(
      List<Object> items, boolean exact, Object attribute, boolean falling) {
    Comparator<Object> order =
        (a, b) -> Values.compare(sortKey(a, exact, attribute), sortKey(b, exact, attribute));
    List<Object> sorted = new ArrayList<>(items);
    sorted.sort(falling ? order.reversed() : order);
    return sorted;
  }

  private static Object sortKey(Object item, boolean exact, Object attribute) {
    Object key = attribute == null ? item : path(item, attribute);
    return !exact && key instanceof String text ? text.toLowerCase(Locale.ROOT) : key;
  }

  private static Object unique(Object value, Call call) {
    List<Object> unique = new ArrayList<>();
    List<Object> keys = new ArrayList<>();
    for (Object item : Values.items(value)) {
      Object key = sortKey(item, false, call.named().get("attribute"));
      if (!Operators.contains(keys, key)) {
        keys.add(key);
        unique.add(item);
      }
    }
    return unique;
  }

  private static Object indent(Object value, Call call) {
    Object width = call.get(0, "width", 4L);
    boolean first = Values.truth(call.get(1, "first", false));
    boolean blank = Values.truth(call.get(2, "blank", false));
    String margin = width instanceof String text ? text : " ".repeat(Values.index(width));
    String[] lines = Values.text(value).split("\n", -1);
    for (int i = 0; i < lines.length; i++) {
      boolean indented = i == 0 ? first : blank || !lines[i].isEmpty();
      lines[i] = indented ? margin + lines[i] : lines[i];
    }
    return String.join("\n", lines);
  }

  private static Object round(Object value, Call call) {
    int digits = Values.index(call.get(0, "precision", 0L));
    double scale = Math.pow(10, digits);
    double scaled = Values.number(value).doubleValue() * scale;
    String method = Values.text(call.get(1, "method", "common"));
    double rounded =
        switch (method) {
          case "ceil" -> Math.ceil(scaled);
          case "floor" -> Math.floor(scaled);
          default -> Math.rint(scaled);
        };
    return rounded / scale;
  }

  private static Object absolute(Number value) {
    return value instanceof Long whole ? (Object) Math.abs(whole) : Math.abs(value.doubleValue());
  }

  private static Object extreme(Object value, boolean largest) {
    return Values.items(value).stream()
        .reduce((a, b) -> Values.compare(a, b) > 0 == largest ? a : b)
        .orElse(null);
  }
}
