package dev.offload.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class ChatTemplateTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final TypeReference<List<Map<String, Object>>> MAPS = new TypeReference<>() {};

  static List<String> models() {
    return TokenizerFixtures.models().stream()
        .filter(model -> !TokenizerFixtures.reference(model).path("chat").isEmpty())
        .toList();
  }

  @ParameterizedTest
  @MethodSource("models")
  void shouldRenderAsTransformersDoes(String model) throws IOException {
    ChatTemplate template = ChatTemplate.open(TokenizerFixtures.folder(model));
    List<String> wrong = new ArrayList<>();
    try (Tokenizer tokenizer = TokenizerFixtures.open(model)) {
      for (JsonNode example : TokenizerFixtures.reference(model).path("chat")) {
        String id = example.path("id").textValue();
        if (example.has("error")) {
          String message =
              assertThrows(IllegalArgumentException.class, () -> render(template, example))
                  .getMessage();
          assertTrue(message.contains(example.path("error").textValue()), message);
          continue;
        }
        String prompt = render(template, example);
        String expected = example.path("rendered").textValue();
        if (!prompt.equals(expected)) {
          wrong.add(
              id
                  + ": expected "
                  + JSON.writeValueAsString(expected)
                  + ", got "
                  + JSON.writeValueAsString(prompt));
        } else {
          assertEquals(
              TokenizerFixtures.ids(example.path("ids")), tokenizer.encode(prompt, false), id);
        }
      }
    }
    assertEquals(List.of(), wrong);
  }

  private static String render(ChatTemplate template, JsonNode example) {
    JsonNode tools = example.path("tools");
    return template.render(
        JSON.convertValue(example.path("messages"), MAPS),
        tools.isMissingNode() ? List.of() : JSON.convertValue(tools, MAPS),
        example.path("add_generation_prompt").booleanValue(),
        Map.of());
  }
}
