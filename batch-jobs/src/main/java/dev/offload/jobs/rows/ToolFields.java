package dev.offload.jobs.rows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads descriptions of tools and the calls of an assistant, as OpenAI's API writes both. */
final class ToolFields {
  private static final String FUNCTION = "function";

  private ToolFields() {}

  /** What functions a conversation may call; empty if there is no field {@code tools}. */
  static List<Map<String, Object>> tools(Fields fields) throws RowException {
    List<Map<String, Object>> tools = new ArrayList<>();
    JsonNode value = fields.find("tools").orElse(JsonNodeFactory.instance.arrayNode());
    for (JsonNode tool : array(fields.path("tools"), value)) {
      String path = "%s[%d]".formatted(fields.path("tools"), tools.size());
      requireFunction(path, tool);
      tools.add(PlainData.map(path, tool));
    }
    return offered(fields) ? tools : List.of();
  }

  /**
   * Takes no tools: an answer in OpenAI's shape promises calls as data, which this program does not
   * make out of what a model writes.
   */
  static List<Map<String, Object>> noTools(Fields fields) throws RowException {
    if (!tools(fields).isEmpty()) {
      throw fields.wrong(
          "tools",
          "cannot be called here; set tool_choice to none, or use simple rows, whose text holds"
              + " what the model writes");
    }
    return List.of();
  }

  /** With "none" no tool is offered; that one must be called cannot be promised. */
  private static boolean offered(Fields fields) throws RowException {
    JsonNode choice = fields.find("tool_choice").orElse(JsonNodeFactory.instance.textNode("auto"));
    if (!choice.asText().equals("auto") && !choice.asText().equals("none")) {
      throw Fields.wrong(
          fields.path("tool_choice"), choice, "auto or none; the model chooses freely here");
    }
    return choice.asText().equals("auto");
  }

  /**
   * The calls of one turn. Their arguments become data if they are written as a text, because that
   * is what templates expect.
   */
  static List<Object> calls(String path, JsonNode value) throws RowException {
    List<Object> calls = new ArrayList<>();
    for (JsonNode call : array(path, value)) {
      String name = "%s[%d]".formatted(path, calls.size());
      requireFunction(name, call);
      Map<String, Object> data = PlainData.map(name, call);
      Map<String, Object> function =
          new LinkedHashMap<>(PlainData.map(name + ".function", call.get(FUNCTION)));
      function.put("arguments", arguments(name + ".function.arguments", call.get(FUNCTION)));
      data.put(FUNCTION, function);
      calls.add(data);
    }
    return calls;
  }

  private static Map<String, Object> arguments(String path, JsonNode function) throws RowException {
    JsonNode value = function.path("arguments");
    if (value.isTextual() && !value.textValue().isBlank()) {
      try {
        return PlainData.map(path, RowJson.strict().parse(value.textValue()));
      } catch (RowException e) {
        throw new RowException(path + " is no text of a JSON object: " + e.getMessage(), e);
      }
    }
    if (value.isTextual() || value.isMissingNode() || value.isNull()) {
      return Map.of();
    }
    if (!value.isObject()) {
      throw Fields.wrong(path, value, "an object, or the text of one");
    }
    return PlainData.map(path, value);
  }

  private static JsonNode array(String path, JsonNode value) throws RowException {
    if (!value.isArray()) {
      throw Fields.wrong(path, value, "an array of functions");
    }
    return value;
  }

  private static void requireFunction(String path, JsonNode value) throws RowException {
    if (!(value instanceof ObjectNode object)) {
      throw Fields.wrong(path, value, "an object with type and function");
    }
    if (!object.path("type").asText(FUNCTION).equals(FUNCTION)) {
      throw Fields.wrong(path + ".type", object.get("type"), FUNCTION);
    }
    if (!object.path(FUNCTION).path("name").isTextual()) {
      throw new RowException(path + ".function.name is missing");
    }
  }
}
