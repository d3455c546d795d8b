package dev.offload.text.jinja;

import java.util.ArrayList;
import java.util.List;

/**
 * A for block.
 *
 * @param targets variables that take an item, or its parts
 * @param items what is looped over
 * @param condition which items count, or null for all
 * @param body written for each item
 * @param otherwise written when there is none
 */
record Loop(
    List<String> targets, Expression items, Expression condition, Block body, Block otherwise)
    implements Block {

  @Override
  public Flow render(Scope scope, StringBuilder out) {
    List<Object> visited = visited(scope);
    if (visited.isEmpty()) {
      return otherwise.render(scope, out);
    }
    for (int i = 0; i < visited.size(); i++) {
      Scope turn = scope.inner();
      turn.set("loop", new LoopState(visited, i));
      assign(targets, visited.get(i), turn);
      if (body.render(turn, out) == Flow.BREAK) {
        break;
      }
    }
    return Flow.NEXT;
  }

  private List<Object> visited(Scope scope) {
    List<Object> all = Values.items(items.evaluate(scope));
    if (condition == null) {
      return all;
    }
    List<Object> chosen = new ArrayList<>();
    for (Object item : all) {
      Scope turn = scope.inner();
      turn.limits().step();
      assign(targets, item, turn);
      if (Values.truth(condition.evaluate(turn))) {
        chosen.add(item);
      }
    }
    return chosen;
  }

  /** Gives one variable the value, or several its parts. */
  static void assign(List<String> names, Object value, Scope scope) {
    if (names.size() == 1) {
      scope.set(names.getFirst(), value);
      return;
    }
    List<Object> parts = Values.items(value);
    if (parts.size() != names.size()) {
      throw new TemplateException(
          "%d values cannot be given to %d names".formatted(parts.size(), names.size()));
    }
    for (int i = 0; i < parts.size(); i++) {
      scope.set(names.get(i), parts.get(i));
    }
  }
}
