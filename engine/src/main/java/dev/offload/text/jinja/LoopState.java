package dev.offload.text.jinja;

import java.util.List;

/**
 * The {@code loop} variable of a for block.
 *
 * @param items all items
 * @param index0 number of the current one, from 0
 */
record LoopState(List<Object> items, int index0) {
  Object attribute(String name) {
    return switch (name) {
      case "index" -> index0 + 1L;
      case "index0" -> (long) index0;
      case "revindex" -> (long) items.size() - index0;
      case "revindex0" -> (long) items.size() - index0 - 1;
      case "first" -> index0 == 0;
      case "last" -> index0 == items.size() - 1;
      case "length" -> (long) items.size();
      case "previtem" -> index0 == 0 ? null : items.get(index0 - 1);
      case "nextitem" -> index0 == items.size() - 1 ? null : items.get(index0 + 1);
      case "cycle" -> (PyCallable) (values, named) -> values.get(index0 % values.size());
      default -> null;
    };
  }
}
