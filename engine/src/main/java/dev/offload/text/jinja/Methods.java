package dev.offload.text.jinja;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The methods of Python's str, dict and list that templates use. Nothing else can be called. */
final class Methods {
  private Methods() {}

  static Object call(
      Object receiver, String name, List<Object> arguments, Map<String, Object> named) {
    if (receiver instanceof String text) {
      return TextMethods.call(text, name, arguments, named);
    }
    if (receiver instanceof Map<?, ?> map) {
      return ofMap(map, name, arguments, named);
    }
    if (receiver instanceof List<?> list) {
      return ofList(list, name, arguments);
    }
    if (receiver != null && Values.attribute(receiver, name) instanceof PyCallable callable) {
      return callable.call(arguments, named);
    }
    throw new TemplateException(PythonText.kind(receiver) + " has no method " + name);
  }

  @SuppressWarnings("unchecked")
  private static Object ofMap(
      Map<?, ?> map, String name, List<Object> arguments, Map<String, Object> named) {
    if (map.get(name) instanceof PyCallable callable) {
      return callable.call(arguments, named);
    }
    return switch (name) {
      case "items" -> pairs(map);
      case "keys" -> new ArrayList<Object>(map.keySet());
      case "values" -> new ArrayList<Object>(map.values());
      case "get" -> {
        Object fallback = arguments.size() > 1 ? arguments.get(1) : None.NONE;
        yield map.containsKey(first(arguments, name)) ? map.get(arguments.getFirst()) : fallback;
      }
      case "copy" -> Values.of(map);
      case "update" -> {
        if (!(first(arguments, name) instanceof Map<?, ?> more)) {
          throw new TemplateException("update needs a mapping");
        }
        ((Map<Object, Object>) map).putAll(more);
        yield None.NONE;
      }
      case "pop" -> {
        Object fallback = arguments.size() > 1 ? arguments.get(1) : null;
        Object removed = map.remove(first(arguments, name));
        yield removed == null ? fallback : removed;
      }
      default -> throw new TemplateException("a mapping has no method " + name);
    };
  }

  /** The entries of a mapping, as lists of two. */
  static List<Object> pairs(Map<?, ?> map) {
    List<Object> pairs = new ArrayList<>(map.size());
    map.forEach((key, value) -> pairs.add(Tuple.of(Arrays.asList(key, value))));
    return pairs;
  }

  @SuppressWarnings("unchecked")
  private static Object ofList(List<?> list, String name, List<Object> arguments) {
    List<Object> items = (List<Object>) list;
    return switch (name) {
      case "append" -> {
        items.add(first(arguments, name));
        yield None.NONE;
      }
      case "extend" -> {
        items.addAll(Values.items(first(arguments, name)));
        yield None.NONE;
      }
      case "insert" -> {
        items.add(
            Math.clamp(Values.index(first(arguments, name)), 0, items.size()), arguments.get(1));
        yield None.NONE;
      }
      case "pop" -> {
        int index = arguments.isEmpty() ? -1 : Values.index(arguments.getFirst());
        int place = index < 0 ? index + items.size() : index;
        if (place < 0 || place >= items.size()) {
          throw new TemplateException("pop from a list of " + items.size() + " at " + index);
        }
        yield items.remove(place);
      }
      case "index" -> {
        for (int i = 0; i < items.size(); i++) {
          if (Values.equal(items.get(i), first(arguments, name))) {
            yield (long) i;
          }
        }
        throw new TemplateException("index: the list does not hold the value");
      }
      case "count" ->
          items.stream().filter(item -> Values.equal(item, first(arguments, name))).count();
      case "copy" -> new ArrayList<>(items);
      case "reverse" -> {
        java.util.Collections.reverse(items);
        yield None.NONE;
      }
      default -> throw new TemplateException("a list has no method " + name);
    };
  }

  static Object first(List<Object> arguments, String name) {
    if (arguments.isEmpty()) {
      throw new TemplateException(name + " needs an argument");
    }
    return arguments.getFirst();
  }

  /** The methods of texts. */
  private static final class TextMethods {
    private TextMethods() {}

    static Object call(
        String text, String name, List<Object> arguments, Map<String, Object> named) {
      return switch (name) {
        case "strip" -> strip(text, arguments, true, true);
        case "lstrip" -> strip(text, arguments, true, false);
        case "rstrip" -> strip(text, arguments, false, true);
        case "split" -> split(text, separator(arguments, named), limit(arguments, named));
        case "rsplit" -> splitFromRight(text, separator(arguments, named), limit(arguments, named));
        case "splitlines" -> new ArrayList<Object>(text.lines().toList());
        case "partition" -> partition(text, argument(arguments, 0, name));
        case "startswith" -> anyOf(arguments, name).stream().anyMatch(text::startsWith);
        case "endswith" -> anyOf(arguments, name).stream().anyMatch(text::endsWith);
        case "removeprefix" -> {
          String prefix = argument(arguments, 0, name);
          yield text.startsWith(prefix) ? text.substring(prefix.length()) : text;
        }
        case "removesuffix" -> {
          String suffix = argument(arguments, 0, name);
          yield text.endsWith(suffix) ? text.substring(0, text.length() - suffix.length()) : text;
        }
        case "replace" -> replace(text, arguments);
        case "upper" -> text.toUpperCase(Locale.ROOT);
        case "lower" -> text.toLowerCase(Locale.ROOT);
        case "title" -> title(text);
        case "capitalize" -> capitalize(text);
        case "find" -> place(text, text.indexOf(argument(arguments, 0, name)));
        case "rfind" -> place(text, text.lastIndexOf(argument(arguments, 0, name)));
        case "count" -> count(text, argument(arguments, 0, name));
        case "join" -> join(text, Values.items(first(arguments, name)));
        case "format" -> StringFormat.braces(text, arguments);
        case "isdigit" -> every(text, Character::isDigit);
        case "isalpha" -> every(text, Character::isLetter);
        case "isalnum" -> every(text, Character::isLetterOrDigit);
        case "isspace" -> every(text, TextMethods::isBlank);
        case "isupper" ->
            !text.equals(text.toLowerCase(Locale.ROOT))
                && text.equals(text.toUpperCase(Locale.ROOT));
        case "islower" ->
            !text.equals(text.toUpperCase(Locale.ROOT))
                && text.equals(text.toLowerCase(Locale.ROOT));
        default -> throw new TemplateException("a text has no method " + name);
      };
    }

    private static String argument(List<Object> arguments, int index, String name) {
      if (index >= arguments.size()) {
        throw new TemplateException(name + " needs " + (index + 1) + " arguments");
      }
      return Values.requireText(arguments.get(index), name);
    }

    private static List<String> anyOf(List<Object> arguments, String name) {
      return first(arguments, name) instanceof List<?> texts
          ? texts.stream().map(each -> Values.requireText(each, name)).toList()
          : List.of(argument(arguments, 0, name));
    }

    static String strip(String text, List<Object> arguments, boolean left, boolean right) {
      boolean blanks = arguments.isEmpty() || arguments.getFirst() == None.NONE;
      String characters = blanks ? "" : Values.requireText(arguments.getFirst(), "strip");
      int from = 0;
      int to = text.length();
      while (left && from < to && strips(text.charAt(from), characters, blanks)) {
        from++;
      }
      while (right && to > from && strips(text.charAt(to - 1), characters, blanks)) {
        to--;
      }
      return text.substring(from, to);
    }

    private static boolean strips(char c, String characters, boolean blanks) {
      return blanks ? isBlank(c) : characters.indexOf(c) >= 0;
    }

    /** Whether Python's str.isspace says so. */
    private static boolean isBlank(int c) {
      return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
    }

    private static boolean every(String text, java.util.function.IntPredicate predicate) {
      return !text.isEmpty() && text.codePoints().allMatch(predicate);
    }

    private static String separator(List<Object> arguments, Map<String, Object> named) {
      Object given = arguments.isEmpty() ? named.get("sep") : arguments.getFirst();
      if (given == null || given == None.NONE) {
        return null;
      }
      String separator = Values.requireText(given, "split");
      if (separator.isEmpty()) {
        throw new TemplateException("split at an empty text");
      }
      return separator;
    }

    private static int limit(List<Object> arguments, Map<String, Object> named) {
      Object given = arguments.size() > 1 ? arguments.get(1) : named.get("maxsplit");
      return given == null ? -1 : Values.index(given);
    }

    private static List<Object> split(String text, String separator, int limit) {
      return separator == null ? words(text, limit) : parts(text, separator, limit);
    }

    private static List<Object> parts(String text, String separator, int limit) {
      List<Object> parts = new ArrayList<>();
      int from = 0;
      for (int at = text.indexOf(separator);
          at >= 0 && (limit < 0 || parts.size() < limit);
          at = text.indexOf(separator, from)) {
        parts.add(text.substring(from, at));
        from = at + separator.length();
      }
      parts.add(text.substring(from));
      return parts;
    }

    private static List<Object> words(String text, int limit) {
      List<Object> words = new ArrayList<>();
      String rest = strip(text, List.of(), true, false);
      while (!rest.isEmpty()) {
        int end = 0;
        while (end < rest.length() && !isBlank(rest.charAt(end))) {
          end++;
        }
        if (limit >= 0 && words.size() >= limit) {
          end = rest.length();
        }
        words.add(rest.substring(0, end));
        rest = strip(rest.substring(end), List.of(), true, false);
      }
      return words;
    }

    private static List<Object> splitFromRight(String text, String separator, int limit) {
      if (separator == null) {
        throw new TemplateException("rsplit needs a separator");
      }
      List<Object> parts = new ArrayList<>();
      int to = text.length();
      int at = text.lastIndexOf(separator);
      while (at >= 0 && (limit < 0 || parts.size() < limit)) {
        parts.addFirst(text.substring(at + separator.length(), to));
        to = at;
        at = at == 0 ? -1 : text.substring(0, to).lastIndexOf(separator);
      }
      parts.addFirst(text.substring(0, to));
      return parts;
    }

    private static List<Object> partition(String text, String separator) {
      int at = text.indexOf(separator);
      return at < 0
          ? List.of(text, "", "")
          : List.of(text.substring(0, at), separator, text.substring(at + separator.length()));
    }

    private static String replace(String text, List<Object> arguments) {
      String from = argument(arguments, 0, "replace");
      String to = argument(arguments, 1, "replace");
      int times = arguments.size() > 2 ? Values.index(arguments.get(2)) : -1;
      if (times < 0 || from.isEmpty()) {
        return text.replace(from, to);
      }
      return join(to, parts(text, from, times));
    }

    private static long place(String text, int index) {
      return index < 0 ? -1 : text.codePointCount(0, index);
    }

    private static long count(String text, String part) {
      return part.isEmpty() ? Values.length(text) + 1 : parts(text, part, -1).size() - 1L;
    }
  }

  static String join(String separator, List<?> items) {
    StringBuilder text = new StringBuilder();
    String before = "";
    for (Object item : items) {
      text.append(before).append(Values.text(item));
      before = separator;
    }
    return text.toString();
  }

  /** Without the blanks, or the given characters, at both ends. */
  static String strip(String text, List<Object> arguments) {
    return TextMethods.strip(text, arguments, true, true);
  }

  /** Every word with a capital first letter. */
  static String title(String text) {
    StringBuilder title = new StringBuilder();
    boolean inside = false;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      title.append(inside ? Character.toLowerCase(c) : Character.toTitleCase(c));
      inside = Character.isLetter(c);
    }
    return title.toString();
  }

  /** First letter large, the others small. */
  static String capitalize(String text) {
    return text.isEmpty()
        ? text
        : Character.toTitleCase(text.charAt(0)) + text.substring(1).toLowerCase(Locale.ROOT);
  }
}
