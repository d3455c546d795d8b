package dev.offload.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
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

  @Test
  void shouldSayWhenThereIsNoTemplate(@TempDir Path folder) throws IOException {
    Files.writeString(folder.resolve("tokenizer_config.json"), "{\"bos_token\": \"<s>\"}");
    String message = assertThrows(IOException.class, () -> ChatTemplate.open(folder)).getMessage();
    assertTrue(message.contains("tokenizer_config.json") && message.contains("prompt"), message);
  }

  @Test
  void shouldTakeTheDefaultOfNamedTemplates(@TempDir Path folder) throws IOException {
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        """
        {"bos_token": {"content": "<s>", "special": true},
         "chat_template": [{"name": "tool_use", "template": "no"},
                           {"name": "default", "template": "{{ bos_token }}{{ messages[0].content }}"}]}
        """);
    ChatTemplate template = ChatTemplate.open(folder);
    assertEquals("<s>hi", template.render(List.of(Map.of("role", "user", "content", "hi"))));
  }

  @Test
  void shouldNameTheFileOfABrokenTemplate(@TempDir Path folder) throws IOException {
    Files.writeString(folder.resolve("chat_template.jinja"), "{% if x %}");
    String message = assertThrows(IOException.class, () -> ChatTemplate.open(folder)).getMessage();
    assertTrue(message.contains("chat_template.jinja"), message);
  }

  @Test
  void shouldPassFurtherVariables() throws IOException {
    ChatTemplate template = ChatTemplate.open(TokenizerFixtures.folder("qwen3-moe"));
    List<Map<String, Object>> messages = List.of(Map.of("role", "user", "content", "hi"));
    assertEquals(
        template.render(messages) + "<think>\n\n</think>\n\n",
        template.render(messages, List.of(), true, Map.of("enable_thinking", false)));
  }
}
