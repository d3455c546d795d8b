package dev.offload.text.jinja;

import java.util.List;
import java.util.Map;

/** Something that a template can call. */
@FunctionalInterface
interface PyCallable {
  Object call(List<Object> arguments, Map<String, Object> named);
}
