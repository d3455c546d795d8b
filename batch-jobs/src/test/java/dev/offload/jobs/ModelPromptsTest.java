package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.offload.jobs.rows.ChatMessage;
import dev.offload.jobs.rows.Prompt;
import dev.offload.jobs.rows.RowException;
import dev.offload.tensors.model.ConfigReader;
import dev.offload.text.Tokenizer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Conversations with tools reach the model's own template. */
class ModelPromptsTest {
  private static final Path FIXTURES = Path.of("../engine/src/test/resources/fixtures");
  private static final JsonMapper JSON = new JsonMapper();

  @Test
  void shouldWriteToolsAsTransformersDoes() throws Exception {
    Path folder = FIXTURES.resolve("qwen3-moe");
    JsonNode reference = JSON.readTree(folder.resolve("tokenizer_reference.json").toFile());
    int checked = 0;
    try (Tokenizer tokenizer = Tokenizer.open(folder)) {
      for (JsonNode example : reference.path("chat")) {
        if (!example.has("tools") || !example.path("add_generation_prompt").booleanValue()) {
          continue;
        }
        List<ChatMessage> messages =
            example
                .path("messages")
                .valueStream()
                .map(m -> new ChatMessage(m.get("role").asText(), m.get("content").asText()))
                .toList();
        List<Map<String, Object>> tools =
            JSON.convertValue(example.get("tools"), new TypeReference<>() {});
        List<Integer> expected = JSON.convertValue(example.get("ids"), new TypeReference<>() {});
        assertEquals(
            expected,
            prompts(folder, tokenizer).encodeChat(new Prompt.Chat(messages, tools)).stream()
                .boxed()
                .toList());
        checked++;
      }
    }
    assertTrue(checked > 0, "the reference has conversations with tools");
  }

  @Test
  void shouldRefuseToolsThatTheTemplateDoesNotRead() throws Exception {
    Path folder = FIXTURES.resolve("gemma2");
    Prompt.Chat chat =
        new Prompt.Chat(
            List.of(new ChatMessage("user", "x")),
            List.of(Map.of("type", "function", "function", Map.of("name", "f"))));
    try (Tokenizer tokenizer = Tokenizer.open(folder)) {
      RowException refusal =
          assertThrows(RowException.class, () -> prompts(folder, tokenizer).encodeChat(chat));
      assertEquals(
          "tools: the model's chat template reads none; leave them out", refusal.getMessage());
    }
  }

  private static ModelPrompts prompts(Path folder, Tokenizer tokenizer) throws Exception {
    return new ModelPrompts(
        folder, tokenizer, ConfigReader.read(folder.resolve("config.json")), 1000);
  }
}
