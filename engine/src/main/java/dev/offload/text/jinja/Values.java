package dev.offload.text.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The values of a template, as Java objects, and what Python does with them: undefined is null,
 * None is {@link None}, numbers are Long and Double, then String, Boolean, List and Map.
 */
final class Values {
  private Values() {}

  /** A deep copy of JSON-like data in the classes used here. */
  static Object of(Object value) {
    return switch (value) {
      case null -> None.NONE;
      case Integer number -> number.longValue();
      case Short number -> number.longValue();
      case Float number -> number.doubleValue();
      case Map<?, ?> map -> {
        Map<Object, Object> copy = new LinkedHashMap<>();
        map.forEach((key, item) -> copy.put(key, of(item)));
        yield copy;
      }
      case List<?> list -> {
        List<Object> copy = new ArrayList<>(list.size());
        list.forEach(item -> copy.add(of(item)));
        yield copy;
      }
      default -> value;
    };
  }

  static boolean truth(Object value) {
    return switch (value) {
      case null -> false;
      case None none -> false;
      case Boolean truth -> truth;
      case Number number -> number.doubleValue() != 0;
      case String text -> !text.isEmpty();
      case List<?> list -> !list.isEmpty();
      case Map<?, ?> map -> !map.isEmpty();
      default -> true;
    };
  }

  /** What is printed. */
  static String text(Object value) {
    return value instanceof String text ? text : PythonText.of(value);
  }

  /** Whether two values are equal in Python: numbers by value, true is 1. */
  static boolean equal(Object left, Object right) {
    if (isNumber(left) && isNumber(right)) {
      return number(left).doubleValue() == number(right).doubleValue();
    }
    if (left instanceof List<?> a && right instanceof List<?> b) {
      return a.size() == b.size() && allEqual(a, b);
    }
    if (left instanceof Map<?, ?> a && right instanceof Map<?, ?> b) {
      return a.size() == b.size()
          && a.entrySet().stream()
              .allMatch(e -> b.containsKey(e.getKey()) && equal(e.getValue(), b.get(e.getKey())));
    }
    return left == null ? right == null : left.equals(right);
  }

  private static boolean allEqual(List<?> a, List<?> b) {
    for (int i = 0; i < a.size(); i++) {
      if (!equal(a.get(i), b.get(i))) {
        return false;
      }
    }
    return true;
  }

  static boolean isNumber(Object value) {
    return value instanceof Number || value instanceof Boolean;
  }

  static Number number(Object value) {
    return switch (value) {
      case Boolean truth -> truth ? 1L : 0L;
      case Number number -> number;
      case null, default ->
          throw new TemplateException("expected a number, found " + PythonText.kind(value));
    };
  }

  static int index(Object value) {
    if (number(value) instanceof Long index && index == index.intValue()) {
      return index.intValue();
    }
    throw new TemplateException("expected a whole number, found " + PythonText.of(value));
  }

  /** The order of two values, both numbers, both texts or both lists. */
  @SuppressWarnings("unchecked")
  static int compare(Object left, Object right) {
    if (isNumber(left) && isNumber(right)) {
      return Double.compare(number(left).doubleValue(), number(right).doubleValue());
    }
    if (left instanceof String a && right instanceof String b) {
      return a.compareTo(b);
    }
    throw new TemplateException(
        "%s and %s cannot be compared".formatted(PythonText.kind(left), PythonText.kind(right)));
  }

  /** {@code value.name}. */
  static Object attribute(Object value, String name) {
    return switch (value) {
      case null -> throw new TemplateException("cannot read ." + name + " of an undefined value");
      case Map<?, ?> map -> map.get(name);
      case Namespace namespace -> namespace.attributes().get(name);
      case LoopState loop -> loop.attribute(name);
      default -> null;
    };
  }

  /** {@code value[key]}; what is not there is undefined. */
  static Object item(Object value, Object key) {
    if (value instanceof List<?> list && isNumber(key)) {
      int index = index(key) < 0 ? index(key) + list.size() : index(key);
      return index >= 0 && index < list.size() ? list.get(index) : null;
    }
    if (value instanceof String text && isNumber(key)) {
      return item(characters(text), key);
    }
    if (value instanceof Map<?, ?> map) {
      return map.get(key);
    }
    if (key instanceof String name) {
      return attribute(value, name);
    }
    if (value == null) {
      throw new TemplateException("cannot read an item of an undefined value");
    }
    return null;
  }

  /** {@code value[start:stop:step]} of a list or text; None stands for what is left out. */
  static Object slice(Object value, Object start, Object stop, Object step) {
    if (value instanceof String text) {
      return String.join("", strings(slice(characters(text), start, stop, step)));
    }
    if (!(value instanceof List<?> list)) {
      throw new TemplateException(PythonText.kind(value) + " cannot be sliced");
    }
    int stride = step == None.NONE ? 1 : index(step);
    if (stride == 0) {
      throw new TemplateException("the step of a slice is 0");
    }
    int size = list.size();
    int lowest = stride > 0 ? 0 : -1;
    int highest = stride > 0 ? size : size - 1;
    int from =
        start == None.NONE ? (stride > 0 ? lowest : highest) : bound(start, size, lowest, highest);
    int to =
        stop == None.NONE ? (stride > 0 ? highest : lowest) : bound(stop, size, lowest, highest);
    List<Object> part = new ArrayList<>();
    for (long i = from; stride > 0 ? i < to : i > to; i += stride) {
      part.add(list.get((int) i));
    }
    return part;
  }

  private static int bound(Object value, int size, int lowest, int highest) {
    int index = index(value);
    return Math.clamp(index < 0 ? (long) index + size : index, lowest, highest);
  }

  private static List<String> strings(Object list) {
    return ((List<?>) list).stream().map(String.class::cast).toList();
  }

  /** The characters of a text, one text each. */
  static List<Object> characters(String text) {
    List<Object> characters = new ArrayList<>(text.length());
    text.codePoints().forEach(c -> characters.add(Character.toString(c)));
    return characters;
  }

  /** What a loop over the value visits. */
  static List<Object> items(Object value) {
    return switch (value) {
      case null -> List.of();
      case List<?> list -> new ArrayList<>(list);
      case Map<?, ?> map -> new ArrayList<>(map.keySet());
      case String text -> characters(text);
      default -> throw new TemplateException(PythonText.kind(value) + " cannot be looped over");
    };
  }

  static long length(Object value) {
    return switch (value) {
      case null -> 0;
      case String text -> text.codePointCount(0, text.length());
      case List<?> list -> list.size();
      case Map<?, ?> map -> map.size();
      default -> throw new TemplateException(PythonText.kind(value) + " has no length");
    };
  }

  static String requireText(Object value, String use) {
    if (value instanceof String text) {
      return text;
    }
    throw new TemplateException(use + " needs a text, found " + PythonText.kind(value));
  }
}
