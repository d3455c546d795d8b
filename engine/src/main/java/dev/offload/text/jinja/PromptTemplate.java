package dev.offload.text.jinja;

import java.util.Map;

/** A template, ready to be rendered any number of times. Immutable. */
public final class PromptTemplate {
  private final Block body;

  private PromptTemplate(Block body) {
    this.body = body;
  }

  /**
   * Reads a template.
   *
   * @throws TemplateException if it is broken or uses what is not supported
   */
  public static PromptTemplate parse(String source) {
    return new PromptTemplate(new TemplateCompiler().compile(TemplateSyntax.parse(source)));
  }

  /**
   * Renders the template.
   *
   * @param variables by name, of the kinds that JSON has; they are copied and stay as they are
   * @throws TemplateException if the template fails, refuses its input or takes too long
   */
  public String render(Map<String, ?> variables) {
    Scope scope = Scope.root(new RenderLimits());
    variables.forEach((name, value) -> scope.set(name, Values.of(value)));
    StringBuilder out = new StringBuilder();
    try {
      body.render(scope, out);
    } catch (StackOverflowError e) {
      throw new TemplateException("the template is nested too deeply", e);
    }
    return out.toString();
  }
}
