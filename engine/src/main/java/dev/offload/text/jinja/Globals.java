package dev.offload.text.jinja;

import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The functions that every template may call. */
final class Globals {
  private Globals() {}

  static Object call(String name, List<Object> arguments, Map<String, Object> named, Scope scope) {
    return switch (name) {
      case "raise_exception" ->
          throw new TemplateException(Values.text(Methods.first(arguments, name)));
      case "namespace" -> Namespace.of(merged(arguments, named));
      case "dict" -> new LinkedHashMap<>(merged(arguments, named));
      case "range" -> range(arguments, scope.limits());
      case "strftime_now" ->
          TimeFormat.format(
              Values.text(Methods.first(arguments, name)),
              ZonedDateTime.now(ZoneId.systemDefault()));
      case "" -> throw new TemplateException("an undefined value cannot be called");
      default -> throw new TemplateException("'" + name + "' is undefined");
    };
  }

  private static Map<String, Object> merged(List<Object> arguments, Map<String, Object> named) {
    Map<String, Object> values = new LinkedHashMap<>();
    for (Object argument : arguments) {
      if (argument instanceof Map<?, ?> map) {
        map.forEach((key, value) -> values.put(Values.text(key), value));
      }
    }
    values.putAll(named);
    return values;
  }

  private static List<Object> range(List<Object> arguments, RenderLimits limits) {
    long start = arguments.size() > 1 ? Values.index(arguments.getFirst()) : 0;
    long stop =
        Values.index(arguments.size() > 1 ? arguments.get(1) : Methods.first(arguments, "range"));
    long step = arguments.size() > 2 ? Values.index(arguments.get(2)) : 1;
    if (step == 0) {
      throw new TemplateException("the step of a range is 0");
    }
    List<Object> numbers = new ArrayList<>();
    for (long i = start; step > 0 ? i < stop : i > stop; i += step) {
      limits.step();
      numbers.add(i);
    }
    return numbers;
  }
}
