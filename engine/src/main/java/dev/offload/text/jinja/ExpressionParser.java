package dev.offload.text.jinja;

import dev.offload.text.jinja.Lexer.Kind;
import dev.offload.text.jinja.Lexer.Token;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads Jinja's expressions, with the precedence of Jinja 3: one method per level. */
final class ExpressionParser {
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

  private final String source;
  private final List<Token> tokens;
  private int position;

  ExpressionParser(String source) {
    this.source = source;
    tokens = Lexer.tokens(source);
  }

  /** Parses a whole text as one expression. */
  static Expression parse(String source) {
    ExpressionParser parser = new ExpressionParser(source);
    Expression expression = parser.tuple();
    parser.expectEnd();
    return expression;
  }

  Token peek() {
    return tokens.get(position);
  }

  boolean tryTake(String symbolOrName) {
    boolean there = peek().is(symbolOrName);
    if (there) {
      position++;
    }
    return there;
  }

  void expect(String symbolOrName) {
    if (!tryTake(symbolOrName)) {
      throw unexpected("expected '" + symbolOrName + "'");
    }
  }

  String expectName() {
    if (peek().kind() != Kind.NAME) {
      throw unexpected("expected a name");
    }
    return tokens.get(position++).text();
  }

  void expectEnd() {
    if (peek().kind() != Kind.END) {
      throw unexpected("expected the end");
    }
  }

  TemplateException unexpected(String expected) {
    return new TemplateException(
        "%s, found '%s' in: %s".formatted(expected, peek().text(), source.strip()));
  }

  /** An expression, or several with commas between them, which make a list. */
  Expression tuple() {
    Expression first = expression();
    if (!peek().is(",")) {
      return first;
    }
    List<Expression> items = new ArrayList<>(List.of(first));
    while (tryTake(",") && peek().kind() != Kind.END && !peek().is(")")) {
      items.add(expression());
    }
    return tupleOf(items);
  }

  private static Expression tupleOf(List<Expression> items) {
    Expression list = listOf(items);
    return scope -> Tuple.of((List<?>) list.evaluate(scope));
  }

  /** {@code a if condition else b}. */
  Expression expression() {
    Expression value = or();
    while (tryTake("if")) {
      Expression yes = value;
      Expression condition = or();
      Expression no = tryTake("else") ? expression() : scope -> null;
      value =
          scope ->
              Values.truth(condition.evaluate(scope)) ? yes.evaluate(scope) : no.evaluate(scope);
    }
    return value;
  }

  /** As {@link #expression}, without a condition: what a for block loops over. */
  Expression or() {
    Expression value = and();
    while (tryTake("or")) {
      Expression left = value;
      Expression right = and();
      value =
          scope -> {
            Object first = left.evaluate(scope);
            return Values.truth(first) ? first : right.evaluate(scope);
          };
    }
    return value;
  }

  private Expression and() {
    Expression value = not();
    while (tryTake("and")) {
      Expression left = value;
      Expression right = not();
      value =
          scope -> {
            Object first = left.evaluate(scope);
            return Values.truth(first) ? right.evaluate(scope) : first;
          };
    }
    return value;
  }

  private Expression not() {
    if (tryTake("not")) {
      Expression value = not();
      return scope -> !Values.truth(value.evaluate(scope));
    }
    return comparison();
  }

  private Expression comparison() {
    Expression value = sum();
    Expression chained = null;
    while (true) {
      String operator = comparisonOperator();
      if (operator == null) {
        return chained == null ? value : chained;
      }
      Expression left = value;
      Expression right = sum();
      Expression link =
          scope -> Operators.compare(operator, left.evaluate(scope), right.evaluate(scope));
      Expression before = chained;
      chained =
          before == null
              ? link
              : scope -> Values.truth(before.evaluate(scope)) ? link.evaluate(scope) : false;
      value = right;
    }
  }

  private String comparisonOperator() {
    Token token = peek();
    boolean isSymbol = token.kind() == Kind.SYMBOL && COMPARISONS.contains(token.text());
    if (isSymbol || token.is("in")) {
      position++;
      return token.text();
    }
    if (token.is("not") && tokens.get(position + 1).is("in")) {
      position += 2;
      return "not in";
    }
    return null;
  }

  private Expression sum() {
    Expression value = concatenation();
    while (peek().is("+") || peek().is("-")) {
      value = binary(value, this::concatenation);
    }
    return value;
  }

  private Expression concatenation() {
    Expression value = product();
    while (peek().is("~")) {
      value = binary(value, this::product);
    }
    return value;
  }

  private Expression product() {
    Expression value = power();
    while (peek().is("*") || peek().is("/") || peek().is("//") || peek().is("%")) {
      value = binary(value, this::power);
    }
    return value;
  }

  private Expression power() {
    Expression value = unary(true);
    while (peek().is("**")) {
      value = binary(value, () -> unary(true));
    }
    return value;
  }

  private Expression binary(Expression left, java.util.function.Supplier<Expression> operand) {
    String operator = tokens.get(position++).text();
    Expression right = operand.get();
    return scope -> {
      scope.limits().step();
      Object value = Operators.apply(operator, left.evaluate(scope), right.evaluate(scope));
      if (value instanceof String text) {
        scope.limits().checkSize(text.length());
      }
      return value;
    };
  }

  private Expression unary(boolean withFilters) {
    if (tryTake("-")) {
      Expression value = unary(false);
      Expression negated = scope -> Operators.apply("-", 0L, value.evaluate(scope));
      return withFilters ? filters(negated) : negated;
    }
    if (tryTake("+")) {
      return unary(withFilters);
    }
    Expression value = postfix(primary());
    return withFilters ? filters(value) : value;
  }

  private Expression primary() {
    Token token = peek();
    if (token.kind() == Kind.END) {
      throw unexpected("expected a value");
    }
    position++;
    return switch (token.kind()) {
      case NAME -> name(token.text());
      case TEXT -> text(token.text());
      case INTEGER -> integer(token.text());
      case FLOAT -> constant(Double.valueOf(token.text()));
      case SYMBOL -> bracketed(token);
      case END -> throw unexpected("expected a value");
    };
  }

  private static Expression name(String name) {
    return switch (name) {
      case "true", "True" -> constant(true);
      case "false", "False" -> constant(false);
      case "none", "None" -> constant(None.NONE);
      default -> scope -> scope.get(name);
    };
  }

  private static Expression constant(Object value) {
    return scope -> value;
  }

  private Expression integer(String digits) {
    try {
      return constant(Long.valueOf(digits));
    } catch (NumberFormatException e) {
      throw new TemplateException("number too large in: " + source.strip(), e);
    }
  }

  private Expression text(String first) {
    StringBuilder text = new StringBuilder(first);
    while (peek().kind() == Kind.TEXT) {
      text.append(tokens.get(position++).text());
    }
    return constant(text.toString());
  }

  private Expression bracketed(Token open) {
    switch (open.text()) {
      case "(" -> {
        if (tryTake(")")) {
          return tupleOf(List.of());
        }
        Expression inner = tuple();
        expect(")");
        return inner;
      }
      case "[" -> {
        return listOf(expressionsUntil("]"));
      }
      case "{" -> {
        return dict();
      }
      default -> {
        position--;
        throw unexpected("expected a value");
      }
    }
  }

  private List<Expression> expressionsUntil(String close) {
    List<Expression> items = new ArrayList<>();
    while (!tryTake(close)) {
      items.add(expression());
      if (!peek().is(close)) {
        expect(",");
      }
    }
    return items;
  }

  private static Expression listOf(List<Expression> items) {
    return scope -> {
      List<Object> values = new ArrayList<>(items.size());
      items.forEach(item -> values.add(item.evaluate(scope)));
      return values;
    };
  }

  private Expression dict() {
    Map<Expression, Expression> entries = new LinkedHashMap<>();
    while (!tryTake("}")) {
      Expression key = expression();
      expect(":");
      entries.put(key, expression());
      if (!peek().is("}")) {
        expect(",");
      }
    }
    return scope -> {
      Map<Object, Object> values = new LinkedHashMap<>();
      entries.forEach((key, value) -> values.put(key.evaluate(scope), value.evaluate(scope)));
      return values;
    };
  }

  private Expression postfix(Expression start) {
    Expression value = start;
    while (true) {
      if (tryTake(".")) {
        value = attributeOrMethod(value);
      } else if (tryTake("[")) {
        value = subscript(value);
      } else if (peek().is("(")) {
        value = call(value);
      } else {
        return value;
      }
    }
  }

  private Expression attributeOrMethod(Expression target) {
    if (peek().kind() == Kind.INTEGER) {
      long index = Long.parseLong(tokens.get(position++).text());
      return scope -> Values.item(target.evaluate(scope), index);
    }
    String name = expectName();
    if (!peek().is("(")) {
      return scope -> Values.attribute(target.evaluate(scope), name);
    }
    Arguments arguments = arguments();
    return scope -> {
      scope.limits().step();
      Object receiver = target.evaluate(scope);
      return Methods.call(receiver, name, arguments.positional(scope), arguments.named(scope));
    };
  }

  private Expression subscript(Expression target) {
    Expression start = peek().is(":") ? null : expression();
    if (tryTake("]")) {
      return scope -> Values.item(target.evaluate(scope), start.evaluate(scope));
    }
    expect(":");
    Expression stop = peek().is(":") || peek().is("]") ? null : expression();
    Expression step = tryTake(":") && !peek().is("]") ? expression() : null;
    expect("]");
    return scope ->
        Values.slice(
            target.evaluate(scope),
            optional(start, scope),
            optional(stop, scope),
            optional(step, scope));
  }

  private static Object optional(Expression expression, Scope scope) {
    return expression == null ? None.NONE : expression.evaluate(scope);
  }

  private Expression call(Expression target) {
    Token before = tokens.get(position - 1);
    String name = before.kind() == Kind.NAME ? before.text() : "";
    Arguments arguments = arguments();
    return scope -> {
      scope.limits().step();
      Object callee = target.evaluate(scope);
      List<Object> positional = arguments.positional(scope);
      if (callee instanceof PyCallable callable) {
        return callable.call(positional, arguments.named(scope));
      }
      if (callee == null) {
        return Globals.call(name, positional, arguments.named(scope), scope);
      }
      throw new TemplateException("'" + name + "' cannot be called");
    };
  }

  /** Arguments of a call, filter or test. */
  private record Arguments(List<Expression> expressions, Map<String, Expression> byName) {
    static final Arguments NONE = new Arguments(List.of(), Map.of());

    List<Object> positional(Scope scope) {
      List<Object> values = new ArrayList<>(expressions.size());
      expressions.forEach(expression -> values.add(expression.evaluate(scope)));
      return values;
    }

    Map<String, Object> named(Scope scope) {
      Map<String, Object> values = new LinkedHashMap<>();
      byName.forEach((name, expression) -> values.put(name, expression.evaluate(scope)));
      return values;
    }
  }

  private Arguments arguments() {
    expect("(");
    List<Expression> positional = new ArrayList<>();
    Map<String, Expression> named = new LinkedHashMap<>();
    while (!tryTake(")")) {
      if (peek().kind() == Kind.NAME && tokens.get(position + 1).is("=")) {
        String name = expectName();
        expect("=");
        named.put(name, expression());
      } else {
        positional.add(expression());
      }
      if (!peek().is(")")) {
        expect(",");
      }
    }
    return new Arguments(positional, named);
  }

  /** Filters and tests bind tighter than any operator. */
  Expression filters(Expression start) {
    Expression value = start;
    while (true) {
      if (tryTake("|")) {
        value = filter(value);
      } else if (tryTake("is")) {
        value = test(value);
      } else {
        return value;
      }
    }
  }

  private Expression filter(Expression input) {
    String name = expectName();
    Filters.require(name);
    Arguments arguments = peek().is("(") ? arguments() : Arguments.NONE;
    return scope -> {
      scope.limits().step();
      return Filters.apply(
          name, input.evaluate(scope), arguments.positional(scope), arguments.named(scope));
    };
  }

  private Expression test(Expression input) {
    boolean negated = tryTake("not");
    String name = expectName();
    Tests.require(name);
    Arguments arguments = Arguments.NONE;
    if (peek().is("(")) {
      arguments = arguments();
    } else if (beginsTestArgument()) {
      arguments = new Arguments(List.of(postfix(primary())), Map.of());
    }
    Arguments given = arguments;
    return scope -> negated != Tests.apply(name, input.evaluate(scope), given.positional(scope));
  }

  private boolean beginsTestArgument() {
    Token token = peek();
    return switch (token.kind()) {
      case NAME -> !Set.of("else", "or", "and", "if", "in", "is", "not").contains(token.text());
      case TEXT, INTEGER, FLOAT -> true;
      case SYMBOL -> token.is("[") || token.is("{");
      case END -> false;
    };
  }
}
