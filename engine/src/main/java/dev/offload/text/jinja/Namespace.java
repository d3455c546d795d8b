package dev.offload.text.jinja;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Jinja's namespace: the one object whose attributes a template may set.
 *
 * @param attributes by name; changes
 */
record Namespace(Map<String, Object> attributes) {
  static Namespace of(Map<String, Object> attributes) {
    return new Namespace(new LinkedHashMap<>(attributes));
  }
}
