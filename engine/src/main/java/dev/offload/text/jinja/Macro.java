package dev.offload.text.jinja;

import java.util.List;
import java.util.Map;

/**
 * A macro and the variables it was defined among.
 *
 * @param name its name
 * @param parameters in order
 * @param body what it writes
 * @param defined where it was defined
 */
record Macro(String name, List<Parameter> parameters, Block body, Scope defined)
    implements PyCallable {

  /**
   * A parameter.
   *
   * @param name its name
   * @param fallback its value where a call gives none
   */
  record Parameter(String name, Expression fallback) {}

  Macro {
    parameters = List.copyOf(parameters);
  }

  @Override
  public Object call(List<Object> arguments, Map<String, Object> named) {
    if (arguments.size() > parameters.size()) {
      throw new TemplateException(
          "macro %s takes %d arguments, %d are given"
              .formatted(name, parameters.size(), arguments.size()));
    }
    Scope scope = defined.inner();
    for (int i = 0; i < parameters.size(); i++) {
      Parameter parameter = parameters.get(i);
      Object given = i < arguments.size() ? arguments.get(i) : named.get(parameter.name());
      scope.set(parameter.name(), given == null ? parameter.fallback().evaluate(scope) : given);
    }
    StringBuilder text = new StringBuilder();
    defined.limits().enterCall();
    body.render(scope, text);
    defined.limits().leaveCall();
    return text.toString();
  }
}
