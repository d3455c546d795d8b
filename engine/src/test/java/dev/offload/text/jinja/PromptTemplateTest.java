package dev.offload.text.jinja;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Compares with what Python's jinja2 renders. */
final class PromptTemplateTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  private static JsonNode reference() throws IOException {
    return JSON.readTree(PromptTemplateTest.class.getResourceAsStream("/jinja_reference.json"));
  }

  static Stream<Arguments> cases() throws IOException {
    JsonNode reference = reference();
    return StreamSupport.stream(reference.path("cases").spliterator(), false)
        .map(example -> Arguments.of(example.path("template").textValue(), example));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void shouldRenderAsJinjaDoes(String template, JsonNode example) throws IOException {
    Map<String, Object> variables =
        JSON.convertValue(reference().path("variables"), new TypeReference<>() {});
    if (example.has("error")) {
      assertThrows(TemplateException.class, () -> PromptTemplate.parse(template).render(variables));
    } else {
      assertEquals(
          example.path("rendered").textValue(), PromptTemplate.parse(template).render(variables));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% include '/etc/passwd' %}",
        "{% import '/etc/passwd' as x %}",
        "{% from '/etc/passwd' import x %}",
        "{% extends '/etc/passwd' %}",
        "{{ ''.getClass() }}",
        "{{ ''.class.forName('java.lang.Runtime') }}",
        "{{ x.__class__.__mro__[1] }}",
        "{{ ____int3rpr3t3r____.config.x }}",
        "{% for a in range(100000000) %}{% endfor %}",
        "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
        "{% set s = namespace(v='xxxxxxxxxxxxxxxx') %}{% for a in range(99) %}{% set s.v = s.v + s.v"
            + " %}{% endfor %}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{{ 'x' * 999999999 }}",
      })
  void shouldRefuseToReachOutOrRunAway(String template) {
    assertThrows(
        TemplateException.class, () -> PromptTemplate.parse(template).render(Map.of("x", 1)));
  }

  @Test
  void shouldLeaveTheVariablesAsTheyAre() {
    Map<String, Object> message = Map.of("list", List.of(1));
    assertEquals(
        "[1, 2]",
        PromptTemplate.parse("{% set _ = m.list.append(2) %}{{ m.list }}")
            .render(Map.of("m", message)));
    assertEquals(Map.of("list", List.of(1)), message);
  }

  @Test
  void shouldNameTheLineOfAnError() {
    TemplateException e =
        assertThrows(TemplateException.class, () -> PromptTemplate.parse("a\nb\n{{ x | nope }}"));
    assertTrue(e.getMessage().startsWith("line 3: "), e.getMessage());
  }
}
