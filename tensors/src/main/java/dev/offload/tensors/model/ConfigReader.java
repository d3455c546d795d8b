package dev.offload.tensors.model;

import dev.offload.tensors.ModelException;
import dev.offload.tensors.json.JsonFields;
import dev.offload.tensors.json.StrictJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Reads a config.json, and the generation_config.json beside it, into a {@link ModelConfig}. */
public final class ConfigReader {
  private static final long MAX_BYTES = 16L << 20;

  private static final Map<String, Family> FAMILIES =
      byModelType(
          new OptFamily(),
          new LlamaFamily(),
          new MistralFamily(),
          new Qwen2Family(),
          new Qwen3Family(),
          new MixtralFamily(),
          new Qwen2MoeFamily(),
          new Qwen3MoeFamily(),
          new OlmoeFamily(),
          new Gpt2Family(),
          new GptNeoxFamily(),
          new Phi3Family(),
          new Gemma2Family(),
          new Gemma3Family(),
          new Glm4MoeFamily(),
          new GptOssFamily());

  private ConfigReader() {}

  /**
   * Reads the configuration of a model.
   *
   * @param configJson the file; {@code generation_config.json} beside it is read too if it exists
   * @throws ModelException if the file is missing or damaged, or names a family, an option or a
   *     value that is not supported
   */
  public static ModelConfig read(Path configJson) throws IOException {
    if (!Files.isRegularFile(configJson)) {
      throw new ModelException(configJson + ": is missing; a model folder needs its config.json");
    }
    JsonFields config = StrictJson.readObject(configJson, MAX_BYTES);
    String type =
        config
            .text("model_type")
            .orElseThrow(
                () ->
                    new ModelException(
                        configJson + ": model_type is missing; it names the family"));
    Family family = FAMILIES.get(type);
    if (family == null) {
      throw config.refuse(
          "model_type", "is not supported; supported are " + String.join(", ", FAMILIES.keySet()));
    }
    Quantization.refuse(config);
    try {
      ModelConfig read = family.read(config);
      UnknownOptions.refuse(config);
      return Tokens.addTo(read, config, generationConfig(configJson));
    } catch (IllegalArgumentException e) {
      throw new ModelException(configJson + ": " + e.getMessage(), e);
    }
  }

  /** The {@code model_type}s that can be read. */
  public static List<String> modelTypes() {
    return List.copyOf(FAMILIES.keySet());
  }

  private static List<JsonFields> generationConfig(Path configJson) throws IOException {
    Path file = configJson.resolveSibling("generation_config.json");
    return Files.isRegularFile(file) ? List.of(StrictJson.readObject(file, MAX_BYTES)) : List.of();
  }

  private static Map<String, Family> byModelType(Family... families) {
    Map<String, Family> map = new TreeMap<>();
    for (Family family : families) {
      map.put(family.modelType(), family);
    }
    return map;
  }
}
