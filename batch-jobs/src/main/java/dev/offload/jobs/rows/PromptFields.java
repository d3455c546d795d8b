package dev.offload.jobs.rows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.offload.generation.TokenIds;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Reads prompts and conversations. */
final class PromptFields {
  private static final Set<String> ROLES =
      Set.of("system", "developer", "user", "assistant", "tool");

  private PromptFields() {}

  /** A text or an array of token ids. */
  static Prompt prompt(String path, JsonNode value) throws RowException {
    if (value.isTextual()) {
      String text = Fields.text(path, value);
      if (text.isEmpty()) {
        throw new RowException(path + " is empty");
      }
      return new Prompt.Text(text);
    }
    if (!value.isArray()) {
      throw Fields.wrong(path, value, "a text or an array of token ids");
    }
    return new Prompt.Tokens(tokens(path, value));
  }

  private static TokenIds tokens(String path, JsonNode array) throws RowException {
    if (array.isEmpty()) {
      throw new RowException(path + " is empty");
    }
    if (!array.get(0).isNumber()) {
      throw new RowException(
          path
              + " is an array of "
              + Fields.describe(array.get(0))
              + " and the like; one row takes one text or one array of token ids");
    }
    int[] ids = new int[array.size()];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = Fields.integer(path + "[" + i + "]", array.get(i));
    }
    return TokenIds.of(ids);
  }

  /**
   * A conversation.
   *
   * @param tools what functions it may call
   */
  static Prompt.Chat messages(String path, JsonNode value, List<Map<String, Object>> tools)
      throws RowException {
    if (!value.isArray()) {
      throw Fields.wrong(path, value, "an array of messages");
    }
    if (value.isEmpty()) {
      throw new RowException(path + " is empty");
    }
    List<ChatMessage> messages = new ArrayList<>(value.size());
    for (JsonNode each : value) {
      messages.add(message(path + "[" + messages.size() + "]", each));
    }
    return new Prompt.Chat(messages, tools);
  }

  private static ChatMessage message(String path, JsonNode value) throws RowException {
    if (!(value instanceof ObjectNode object)) {
      throw Fields.wrong(path, value, "an object with role and content");
    }
    Fields fields = new Fields(object, path + ".");
    String role = fields.text("role").orElseThrow(() -> fields.wrong("role", "is missing"));
    if (!ROLES.contains(role)) {
      throw Fields.wrong(
          path + ".role", object.get("role"), "system, developer, user, assistant or tool");
    }
    Map<String, Object> more = more(fields, role);
    Optional<JsonNode> content = fields.find("content");
    if (content.isEmpty() && !more.containsKey("tool_calls")) {
      throw fields.wrong("content", "is missing");
    }
    fields.refuseOthers();
    String text = content.isEmpty() ? null : content(path + ".content", content.get());
    return new ChatMessage(role, text, more);
  }

  /** What else the turns of a role may have. */
  private static Map<String, Object> more(Fields fields, String role) throws RowException {
    Map<String, Object> more = new LinkedHashMap<>();
    putText(fields, "name", more);
    if (role.equals("tool")) {
      putText(fields, "tool_call_id", more);
    }
    if (role.equals("assistant")) {
      putText(fields, "refusal", more);
      putText(fields, "reasoning_content", more);
      Optional<JsonNode> calls = fields.find("tool_calls");
      if (calls.isPresent()) {
        more.put("tool_calls", ToolFields.calls(fields.path("tool_calls"), calls.get()));
      }
    }
    return more;
  }

  private static void putText(Fields fields, String name, Map<String, Object> to)
      throws RowException {
    fields.text(name).ifPresent(text -> to.put(name, text));
  }

  /**
   * A text, or an array of {@code {"type": "text", "text": …}} or refusals, joined by line feeds.
   */
  private static String content(String path, JsonNode value) throws RowException {
    if (!value.isArray()) {
      return Fields.text(path, value);
    }
    List<String> texts = new ArrayList<>(value.size());
    for (JsonNode each : value) {
      texts.add(part(path + "[" + texts.size() + "]", each));
    }
    return String.join("\n", texts);
  }

  private static String part(String path, JsonNode value) throws RowException {
    if (!(value instanceof ObjectNode object)) {
      throw Fields.wrong(path, value, "an object with type and text");
    }
    Fields fields = new Fields(object, path + ".");
    String type = fields.text("type").orElseThrow(() -> fields.wrong("type", "is missing"));
    if (!type.equals("text") && !type.equals("refusal")) {
      throw Fields.wrong(
          path + ".type", object.get("type"), "text; the models here read text only");
    }
    String text = fields.text(type).orElseThrow(() -> fields.wrong(type, "is missing"));
    fields.refuseOthers();
    return text;
  }
}
