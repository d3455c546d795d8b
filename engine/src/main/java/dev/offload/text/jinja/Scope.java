package dev.offload.text.jinja;

import java.util.HashMap;
import java.util.Map;

/** Variables of a block, and those around it. Belongs to one rendering. */
final class Scope {
  private final Map<String, Object> variables = new HashMap<>();
  private final Scope parent;
  private final RenderLimits limits;

  private Scope(Scope parent, RenderLimits limits) {
    this.parent = parent;
    this.limits = limits;
  }

  static Scope root(RenderLimits limits) {
    return new Scope(null, limits);
  }

  Scope inner() {
    return new Scope(this, limits);
  }

  RenderLimits limits() {
    return limits;
  }

  /** The variable's value, or null if there is none. */
  Object get(String name) {
    for (Scope scope = this; scope != null; scope = scope.parent) {
      Object value = scope.variables.get(name);
      if (value != null) {
        return value;
      }
    }
    return null;
  }

  void set(String name, Object value) {
    variables.put(name, value);
  }
}
