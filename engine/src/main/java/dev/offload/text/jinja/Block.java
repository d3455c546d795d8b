package dev.offload.text.jinja;

import java.util.List;

/** A piece of a template that writes text. Immutable. */
@FunctionalInterface
interface Block {
  /** What comes after a block. */
  enum Flow {
    NEXT,
    BREAK,
    CONTINUE
  }

  Flow render(Scope scope, StringBuilder out);

  /** Several blocks one after the other. */
  static Block sequence(List<Block> blocks) {
    List<Block> copy = List.copyOf(blocks);
    return (scope, out) -> {
      for (Block block : copy) {
        scope.limits().step();
        Flow flow = block.render(scope, out);
        if (flow != Flow.NEXT) {
          return flow;
        }
        scope.limits().checkSize(out.length());
      }
      return Flow.NEXT;
    };
  }
}
