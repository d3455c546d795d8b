package dev.offload.jobs.rows;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TemplateTest {

  @Test
  void shouldFillInFieldsAndKeepLiteralBraces() throws Exception {
    Template template = Template.parse("{{{a}}} {two words}/{a}\n{ß_9-x} }}{{");
    assertEquals(List.of("a", "two words", "ß_9-x"), List.copyOf(template.fields()));
    assertEquals(
        "{1.50} {b}/1.50\ntrue }{",
        template.fill(row("{'a':1.50,'two words':'{b}','ß_9-x':true}")));
  }

  @Test
  void shouldKeepAllDigitsOfNumbers() throws Exception {
    assertEquals(
        "12345678901234567890 0.12345678901234567890",
        Template.parse("{a} {b}")
            .fill(row("{'a':12345678901234567890,'b':0.12345678901234567890}")));
  }

  @Test
  void shouldFillInAnEmptyText() throws Exception {
    assertEquals("<>", Template.parse("<{a}>").fill(row("{'a':''}")));
  }

  @Test
  void shouldRefuseRowsWithoutAFieldOrWithAnotherKind() {
    assertEquals("field text is missing, which the template names", refusal("{'Text':'a'}"));
    assertEquals("field text is missing, which the template names", refusal("{'text':null}"));
    assertEquals(
        "text is an array, must be a text, a number, true or false", refusal("{'text':['a']}"));
    assertEquals(
        "text is an object, must be a text, a number, true or false", refusal("{'text':{}}"));
    assertTrue(refusal("{'text':'\\ud800'}").contains("half a surrogate pair"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{text} {",
        "{text} }",
        "{text} {}",
        "{text!r}",
        "{text:>5}",
        "{text.sub}",
        "{text[0]}",
        "{ text}",
        "{text }",
        "{text}} {text",
        "{%if text%}{text}",
        "{text\n}",
        "{{text}"
      })
  void shouldRefuseOtherUsesOfBraces(String text) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> Template.parse(text)).getMessage();
    assertTrue(message.contains("is neither a field such as {text} nor a brace"), message);
  }

  @Test
  void shouldSayWhereABraceIsWrong() {
    String message =
        assertThrows(IllegalArgumentException.class, () -> Template.parse("{a}\n b {c.d}"))
            .getMessage();
    assertTrue(message.startsWith("'{c.d}' at line 2, column 4 is neither"), message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "no field", "{{text}}"})
  void shouldRefuseATemplateWithoutFields(String text) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> Template.parse(text)).getMessage();
    assertTrue(message.contains("names no field"), message);
  }

  private static String refusal(String row) {
    return assertThrows(RowException.class, () -> Template.parse("{text}").fill(row(row)))
        .getMessage();
  }

  private static ObjectNode row(String json) throws RowException {
    return RowJson.exact().parse(json.replace('\'', '"'));
  }
}
