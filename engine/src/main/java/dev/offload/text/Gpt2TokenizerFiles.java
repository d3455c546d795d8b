package dev.offload.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A byte-level BPE tokenizer in the older layout, as GPT-2 and OPT were published: vocab.json,
 * merges.txt, and the special tokens in tokenizer_config.json and special_tokens_map.json.
 */
final class Gpt2TokenizerFiles {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Set<String> CLASSES = Set.of("", "GPT2Tokenizer", "GPT2TokenizerFast");
  private static final List<String> SPECIAL_ROLES =
      List.of(
          "bos_token",
          "eos_token",
          "unk_token",
          "sep_token",
          "pad_token",
          "cls_token",
          "mask_token");

  private final Path folder;
  private final JsonNode vocabulary;
  private final List<String> merges;
  private final JsonNode config;
  private final JsonNode specialTokens;

  private Gpt2TokenizerFiles(Path folder) throws IOException {
    this.folder = folder;
    vocabulary = readJson("vocab.json");
    merges = TokenizerSource.readText(folder.resolve("merges.txt")).lines().toList();
    config = readJsonIfExists("tokenizer_config.json");
    specialTokens = readJsonIfExists("special_tokens_map.json");
  }

  static Gpt2TokenizerFiles read(Path folder) throws IOException {
    Gpt2TokenizerFiles files = new Gpt2TokenizerFiles(folder);
    files.requireGpt2();
    return files;
  }

  private JsonNode readJsonIfExists(String name) throws IOException {
    return Files.exists(folder.resolve(name)) ? readJson(name) : JSON.createObjectNode();
  }

  private JsonNode readJson(String name) throws IOException {
    Path file = folder.resolve(name);
    try {
      JsonNode node = JSON.readTree(TokenizerSource.readText(file));
      if (!node.isObject()) {
        throw new IOException(file + ": is not a JSON object; copy the file again");
      }
      return node;
    } catch (JsonProcessingException e) {
      throw new IOException(
          "%s: line %d: %s; copy the file again"
              .formatted(file, e.getLocation().getLineNr(), e.getOriginalMessage()),
          e);
    }
  }

  private void requireGpt2() throws IOException {
    String name = config.path("tokenizer_class").asText("");
    if (!CLASSES.contains(name)) {
      throw new IOException(
          "%s: a tokenizer of class %s needs its tokenizer.json; copy it into this folder"
              .formatted(folder.resolve("tokenizer_config.json"), name));
    }
  }

  /** The same tokenizer in the layout of tokenizer.json. */
  String toTokenizerJson() throws IOException {
    ObjectNode document = JSON.createObjectNode();
    document.put("version", "1.0");
    document.putNull("truncation").putNull("padding").putNull("normalizer");
    document.set("added_tokens", addedTokens());
    boolean prefixSpace = config.path("add_prefix_space").asBoolean(false);
    document.set("pre_tokenizer", byteLevel(prefixSpace));
    document.set("post_processor", postProcessor());
    document.set("decoder", byteLevel(true));
    document.set("model", model());
    return JSON.writeValueAsString(document);
  }

  private static ObjectNode byteLevel(boolean prefixSpace) {
    return JSON.createObjectNode()
        .put("type", "ByteLevel")
        .put("add_prefix_space", prefixSpace)
        .put("trim_offsets", true)
        .put("use_regex", true);
  }

  private ObjectNode model() throws IOException {
    ObjectNode model = JSON.createObjectNode();
    model.put("type", "BPE");
    model.putNull("dropout").putNull("unk_token");
    model.putNull("continuing_subword_prefix").putNull("end_of_word_suffix");
    model.put("fuse_unk", false).put("byte_fallback", false);
    model.set("vocab", vocabulary);
    ArrayNode pairs = model.putArray("merges");
    for (int line = 0; line < merges.size(); line++) {
      String pair = merges.get(line);
      boolean isHeader = line == 0 && pair.startsWith("#version");
      if (!isHeader && !pair.isBlank()) {
        if (pair.split(" ", -1).length != 2) {
          throw new IOException(
              "%s: line %d is \"%s\", must be two tokens; copy the file again"
                  .formatted(folder.resolve("merges.txt"), line + 1, pair));
        }
        pairs.add(pair);
      }
    }
    return model;
  }

  private ObjectNode postProcessor() throws IOException {
    if (!config.path("add_bos_token").asBoolean(false)) {
      return byteLevel(true);
    }
    String bos = content(config.path("bos_token"));
    if (bos == null) {
      bos = content(specialTokens.path("bos_token"));
    }
    if (bos == null || !vocabulary.path(bos).isInt()) {
      throw new IOException(
          "%s: add_bos_token is true, but bos_token is %s, which vocab.json lacks"
              .formatted(folder.resolve("tokenizer_config.json"), bos));
    }
    return beginningWith(bos, vocabulary.path(bos).intValue());
  }

  /** A template that puts one token before every text. */
  private static ObjectNode beginningWith(String token, int id) {
    ObjectNode template = JSON.createObjectNode().put("type", "TemplateProcessing");
    ArrayNode single = template.putArray("single");
    single.addObject().putObject("SpecialToken").put("id", token).put("type_id", 0);
    single.addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
    ArrayNode pair = template.putArray("pair");
    pair.addAll(single);
    pair.addObject().putObject("SpecialToken").put("id", token).put("type_id", 1);
    pair.addObject().putObject("Sequence").put("id", "B").put("type_id", 1);
    ObjectNode special = template.putObject("special_tokens").putObject(token).put("id", token);
    special.putArray("ids").add(id);
    special.putArray("tokens").add(token);
    return template;
  }

  private ArrayNode addedTokens() throws IOException {
    Map<String, ObjectNode> tokens = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : config.path("added_tokens_decoder").properties()) {
      addFromDecoder(entry.getKey(), entry.getValue(), tokens);
    }
    for (String role : SPECIAL_ROLES) {
      addSpecial(config.path(role), tokens);
      addSpecial(specialTokens.path(role), tokens);
    }
    for (JsonNode token : specialTokens.path("additional_special_tokens")) {
      addSpecial(token, tokens);
    }
    ArrayNode added = JSON.createArrayNode();
    tokens.values().forEach(added::add);
    return added;
  }

  private void addFromDecoder(String id, JsonNode token, Map<String, ObjectNode> tokens)
      throws IOException {
    String content = content(token);
    if (content == null || !id.matches("\\d{1,9}")) {
      throw new IOException(
          "%s: added_tokens_decoder has a broken entry \"%s\""
              .formatted(folder.resolve("tokenizer_config.json"), id));
    }
    tokens.put(content, addedToken(Integer.parseInt(id), content, token));
  }

  private void addSpecial(JsonNode token, Map<String, ObjectNode> tokens) {
    String content = content(token);
    if (content != null && !tokens.containsKey(content) && vocabulary.path(content).isInt()) {
      ObjectNode special = addedToken(vocabulary.path(content).intValue(), content, token);
      tokens.put(content, special.put("special", true));
    }
  }

  /** A token is written as a text or as an object; null if it is neither. */
  private static String content(JsonNode token) {
    JsonNode content = token.isObject() ? token.path("content") : token;
    return content.isTextual() ? content.textValue() : null;
  }

  private static ObjectNode addedToken(int id, String content, JsonNode options) {
    return JSON.createObjectNode()
        .put("id", id)
        .put("content", content)
        .put("single_word", options.path("single_word").asBoolean(false))
        .put("lstrip", options.path("lstrip").asBoolean(false))
        .put("rstrip", options.path("rstrip").asBoolean(false))
        .put("normalized", options.path("normalized").asBoolean(true))
        .put("special", options.path("special").asBoolean(false));
  }
}
