package dev.offload.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.offload.text.jinja.PromptTemplate;
import dev.offload.text.jinja.TemplateException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes conversations as the prompts a model was trained on, with the template of its folder:
 * {@code chat_template.jinja}, else {@code chat_template} of {@code tokenizer_config.json}. The
 * template cannot reach files or classes, and its output and work are bounded. Immutable.
 */
public final class ChatTemplate {
  private static final String CONFIG = "tokenizer_config.json";
  private static final List<String> TOKENS =
      List.of(
          "bos_token",
          "eos_token",
          "unk_token",
          "sep_token",
          "pad_token",
          "cls_token",
          "mask_token");

  private final Path file;
  private final PromptTemplate template;
  private final Map<String, String> specialTokens;
  private final boolean readsTools;

  private ChatTemplate(
      Path file, PromptTemplate template, boolean readsTools, Map<String, String> specialTokens) {
    this.file = file;
    this.template = template;
    this.readsTools = readsTools;
    this.specialTokens = specialTokens;
  }

  /**
   * Opens the chat template of a model.
   *
   * @throws IOException if there is none, or it is broken; the message names the file
   */
  public static ChatTemplate open(Path modelFolder) throws IOException {
    Path config = modelFolder.resolve(CONFIG);
    JsonNode settings =
        Files.exists(config) ? readJson(config) : new ObjectMapper().createObjectNode();
    Path own = modelFolder.resolve("chat_template.jinja");
    Path file = Files.exists(own) ? own : config;
    String source = Files.exists(own) ? TokenizerSource.readText(own) : source(config, settings);
    try {
      return new ChatTemplate(
          file, PromptTemplate.parse(source), source.contains("tools"), specialTokens(settings));
    } catch (TemplateException e) {
      throw new IOException(file + ": the chat template cannot be read: " + e.getMessage(), e);
    }
  }

  private static JsonNode readJson(Path file) throws IOException {
    try {
      return new ObjectMapper().readTree(TokenizerSource.readText(file));
    } catch (JsonProcessingException e) {
      throw new IOException(
          "%s: line %d: %s; copy the file again"
              .formatted(file, e.getLocation().getLineNr(), e.getOriginalMessage()),
          e);
    }
  }

  /** The template is a text, or one of a list of named ones. */
  private static String source(Path config, JsonNode settings) throws IOException {
    JsonNode template = settings.path("chat_template");
    if (template.isTextual()) {
      return template.textValue();
    }
    for (JsonNode named : template) {
      if (named.path("name").asText().equals("default") && named.path("template").isTextual()) {
        return named.path("template").textValue();
      }
    }
    throw new IOException(
        config
            + ": the model has no chat template (field chat_template, or a file chat_template.jinja"
            + " beside it), so it takes no messages; send a prompt instead");
  }

  private static Map<String, String> specialTokens(JsonNode settings) {
    Map<String, String> tokens = new HashMap<>();
    for (String name : TOKENS) {
      JsonNode token = settings.path(name);
      JsonNode content = token.isObject() ? token.path("content") : token;
      if (content.isTextual()) {
        tokens.put(name, content.textValue());
      }
    }
    return Map.copyOf(tokens);
  }

  /** Whether the template looks at tools at all. */
  public boolean readsTools() {
    return readsTools;
  }

  /**
   * Writes a conversation as a prompt. The prompt holds the special tokens already: encode it
   * without adding more.
   *
   * @param messages maps of role, content and what else the template reads, of the kinds JSON has
   * @param tools descriptions of functions, as OpenAI's API has them; may be empty
   * @param addGenerationPrompt whether the answer is to begin
   * @param more further variables, such as {@code enable_thinking}
   * @throws IllegalArgumentException if the template refuses the conversation or fails on it
   */
  public String render(
      List<? extends Map<String, ?>> messages,
      List<? extends Map<String, ?>> tools,
      boolean addGenerationPrompt,
      Map<String, ?> more) {
    Map<String, Object> variables = new HashMap<>(specialTokens);
    variables.putAll(more);
    variables.put("messages", messages);
    variables.put("tools", tools.isEmpty() ? null : tools);
    variables.put("add_generation_prompt", addGenerationPrompt);
    try {
      return template.render(variables);
    } catch (TemplateException e) {
      throw new IllegalArgumentException("the chat template of " + file + ": " + e.getMessage(), e);
    }
  }

  /** As above, with no tools and an answer to begin. */
  public String render(List<? extends Map<String, ?>> messages) {
    return render(messages, List.of(), true, Map.of());
  }
}
