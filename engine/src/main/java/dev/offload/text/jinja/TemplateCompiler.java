package dev.offload.text.jinja;

import com.hubspot.jinjava.tree.ExpressionNode;
import com.hubspot.jinjava.tree.Node;
import com.hubspot.jinjava.tree.TagNode;
import com.hubspot.jinjava.tree.TextNode;
import com.hubspot.jinjava.tree.parse.ExpressionToken;
import com.hubspot.jinjava.tree.parse.TextToken;
import dev.offload.text.jinja.Block.Flow;
import java.util.ArrayList;
import java.util.List;

/** Turns jinjava's tree into blocks that render as Jinja does. */
final class TemplateCompiler {

  Block compile(Node root) {
    return compile(List.copyOf(root.getChildren()));
  }

  private Block compile(List<Node> nodes) {
    List<Block> blocks = new ArrayList<>();
    for (Node node : nodes) {
      try {
        blocks.add(compileOne(node));
      } catch (TemplateException e) {
        throw e.getMessage().startsWith("line ")
            ? e
            : new TemplateException("line " + node.getLineNumber() + ": " + e.getMessage(), e);
      }
    }
    return Block.sequence(blocks);
  }

  private Block compileOne(Node node) {
    return switch (node) {
      case TextNode text -> literal(((TextToken) text.getMaster()).output());
      case ExpressionNode output -> output(((ExpressionToken) output.getMaster()).getExpr());
      case TagNode tag -> tag(tag);
      default -> throw new TemplateException("unexpected " + node.getName());
    };
  }

  private static Block literal(String text) {
    if (text.contains("{{") || text.contains("{%")) {
      throw new TemplateException("a block is not closed: " + text.strip());
    }
    return text(text);
  }

  private static Block text(String text) {
    return (scope, out) -> {
      out.append(text);
      return Flow.NEXT;
    };
  }

  private static Block output(String source) {
    Expression expression = ExpressionParser.parse(source);
    return (scope, out) -> {
      out.append(Values.text(expression.evaluate(scope)));
      return Flow.NEXT;
    };
  }

  private Block tag(TagNode tag) {
    List<Node> children = List.copyOf(tag.getChildren());
    return switch (tag.getName()) {
      case "if" -> conditional(tag.getHelpers(), children);
      case "for" -> loop(tag.getHelpers(), children);
      case "set" -> assignment(tag.getHelpers(), children);
      case "macro" -> macro(tag.getHelpers(), children);
      case "generation" -> compile(children);
      case "raw" -> raw(children);
      case "break" -> (scope, out) -> Flow.BREAK;
      case "continue" -> (scope, out) -> Flow.CONTINUE;
      default -> throw new TemplateException("tag '" + tag.getName() + "' is not supported");
    };
  }

  private static Block raw(List<Node> children) {
    StringBuilder text = new StringBuilder();
    children.forEach(child -> text.append(child.reconstructImage()));
    return text(text.toString());
  }

  private Block conditional(String condition, List<Node> children) {
    int end = 0;
    while (end < children.size() && !isBranch(children.get(end))) {
      end++;
    }
    Expression test = ExpressionParser.parse(condition);
    Block yes = compile(children.subList(0, end));
    Block no = otherwise(children.subList(end, children.size()));
    return (scope, out) -> (Values.truth(test.evaluate(scope)) ? yes : no).render(scope, out);
  }

  private Block otherwise(List<Node> branches) {
    if (branches.isEmpty()) {
      return Block.sequence(List.of());
    }
    TagNode branch = (TagNode) branches.getFirst();
    List<Node> rest = branches.subList(1, branches.size());
    return branch.getName().equals("else") ? compile(rest) : conditional(branch.getHelpers(), rest);
  }

  private static boolean isBranch(Node node) {
    return node instanceof TagNode tag
        && (tag.getName().equals("elif") || tag.getName().equals("else"));
  }

  private Block loop(String head, List<Node> children) {
    ExpressionParser parser = new ExpressionParser(head);
    List<String> targets = targets(parser);
    parser.expect("in");
    Expression items = parser.or();
    Expression condition = parser.tryTake("if") ? parser.expression() : null;
    parser.expectEnd();
    int end = 0;
    while (end < children.size() && !isBranch(children.get(end))) {
      end++;
    }
    Block body = compile(children.subList(0, end));
    return new Loop(
        targets, items, condition, body, otherwise(children.subList(end, children.size())));
  }

  private static List<String> targets(ExpressionParser parser) {
    boolean bracketed = parser.tryTake("(");
    List<String> names = new ArrayList<>(List.of(parser.expectName()));
    while (parser.tryTake(",")) {
      names.add(parser.expectName());
    }
    if (bracketed) {
      parser.expect(")");
    }
    return names;
  }

  private Block assignment(String head, List<Node> children) {
    ExpressionParser parser = new ExpressionParser(head);
    String name = parser.expectName();
    if (parser.tryTake(".")) {
      return namespaceAssignment(name, parser);
    }
    if (parser.tryTake("=")) {
      Expression value = parser.tuple();
      parser.expectEnd();
      return (scope, out) -> {
        scope.set(name, value.evaluate(scope));
        return Flow.NEXT;
      };
    }
    if (parser.peek().is(",")) {
      return multipleAssignment(name, parser);
    }
    return blockAssignment(name, parser, compile(children));
  }

  private static Block namespaceAssignment(String name, ExpressionParser parser) {
    String attribute = parser.expectName();
    parser.expect("=");
    Expression value = parser.tuple();
    parser.expectEnd();
    return (scope, out) -> {
      if (!(scope.get(name) instanceof Namespace namespace)) {
        throw new TemplateException("only attributes of a namespace can be set, not of " + name);
      }
      namespace.attributes().put(attribute, value.evaluate(scope));
      return Flow.NEXT;
    };
  }

  private static Block multipleAssignment(String first, ExpressionParser parser) {
    List<String> names = new ArrayList<>(List.of(first));
    while (parser.tryTake(",")) {
      names.add(parser.expectName());
    }
    parser.expect("=");
    Expression values = parser.tuple();
    parser.expectEnd();
    return (scope, out) -> {
      Loop.assign(names, values.evaluate(scope), scope);
      return Flow.NEXT;
    };
  }

  private static Block blockAssignment(String name, ExpressionParser parser, Block body) {
    Expression written =
        scope -> {
          StringBuilder text = new StringBuilder();
          body.render(scope.inner(), text);
          return text.toString();
        };
    Expression value = parser.filters(written);
    parser.expectEnd();
    return (scope, out) -> {
      scope.set(name, value.evaluate(scope));
      return Flow.NEXT;
    };
  }

  private Block macro(String head, List<Node> children) {
    ExpressionParser parser = new ExpressionParser(head);
    String name = parser.expectName();
    parser.expect("(");
    List<Macro.Parameter> parameters = new ArrayList<>();
    while (!parser.tryTake(")")) {
      String parameter = parser.expectName();
      Expression fallback = parser.tryTake("=") ? parser.expression() : scope -> null;
      parameters.add(new Macro.Parameter(parameter, fallback));
      if (!parser.peek().is(")")) {
        parser.expect(",");
      }
    }
    parser.expectEnd();
    Block body = compile(children);
    return (scope, out) -> {
      scope.set(name, new Macro(name, parameters, body, scope));
      return Flow.NEXT;
    };
  }
}
