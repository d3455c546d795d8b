package dev.offload.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Python's binary operators. */
final class Operators {
  private Operators() {}

  static Object apply(String operator, Object left, Object right) {
    return switch (operator) {
      case "+" -> add(left, right);
      case "~" -> Values.text(left) + Values.text(right);
      case "%" ->
          left instanceof String format
              ? StringFormat.percent(format, right)
              : arithmetic(operator, left, right);
      case "*" -> multiply(left, right);
      default -> arithmetic(operator, left, right);
    };
  }

  private static Object add(Object left, Object right) {
    if (left instanceof String a && right instanceof String b) {
      return a + b;
    }
    if (left instanceof List<?> a && right instanceof List<?> b) {
      List<Object> sum = new ArrayList<>(a);
      sum.addAll(b);
      return sum;
    }
    return arithmetic("+", left, right);
  }

  private static Object multiply(Object left, Object right) {
    if (left instanceof String text && Values.isNumber(right)) {
      int times = Math.max(0, Values.index(right));
      if ((long) times * text.length() > RenderLimits.MOST_CHARACTERS) {
        throw new TemplateException("a text is repeated " + times + " times");
      }
      return text.repeat(times);
    }
    return arithmetic("*", left, right);
  }

  private static Object arithmetic(String operator, Object left, Object right) {
    if (!Values.isNumber(left) || !Values.isNumber(right)) {
      throw new TemplateException(
          "%s %s %s is not possible"
              .formatted(PythonText.kind(left), operator, PythonText.kind(right)));
    }
    Number a = Values.number(left);
    Number b = Values.number(right);
    try {
      if (a instanceof Long x && b instanceof Long y) {
        return whole(operator, x, y);
      }
      return fraction(operator, a.doubleValue(), b.doubleValue());
    } catch (ArithmeticException e) {
      throw new TemplateException("%s %s %s: %s".formatted(a, operator, b, e.getMessage()), e);
    }
  }

  private static Object whole(String operator, long a, long b) {
    return switch (operator) {
      case "+" -> Math.addExact(a, b);
      case "-" -> Math.subtractExact(a, b);
      case "*" -> Math.multiplyExact(a, b);
      case "//" -> Math.floorDiv(a, b);
      case "%" -> Math.floorMod(a, b);
      case "**" ->
          b >= 0 ? (Object) Math.powExact(a, Math.toIntExact(b)) : Math.pow((double) a, (double) b);
      default -> fraction(operator, (double) a, (double) b);
    };
  }

  private static double fraction(String operator, double a, double b) {
    if (b == 0 && "/ // %".contains(operator)) {
      throw new ArithmeticException("division by zero");
    }
    return switch (operator) {
      case "+" -> a + b;
      case "-" -> a - b;
      case "*" -> a * b;
      case "/" -> a / b;
      case "//" -> Math.floor(a / b);
      case "%" -> a - b * Math.floor(a / b);
      case "**" -> Math.pow(a, b);
      default -> throw new TemplateException("operator " + operator + " is not known");
    };
  }

  static boolean compare(String operator, Object left, Object right) {
    return switch (operator) {
      case "==" -> Values.equal(left, right);
      case "!=" -> !Values.equal(left, right);
      case "<" -> Values.compare(left, right) < 0;
      case "<=" -> Values.compare(left, right) <= 0;
      case ">" -> Values.compare(left, right) > 0;
      case ">=" -> Values.compare(left, right) >= 0;
      case "in" -> contains(right, left);
      case "not in" -> !contains(right, left);
      default -> throw new TemplateException("operator " + operator + " is not known");
    };
  }

  static boolean contains(Object container, Object item) {
    return switch (container) {
      case null -> false;
      case String text -> text.contains(Values.requireText(item, "'in' a text"));
      case List<?> list -> list.stream().anyMatch(each -> Values.equal(each, item));
      case Map<?, ?> map -> map.containsKey(item);
      default -> throw new TemplateException("'in' does not work on " + PythonText.kind(container));
    };
  }
}
