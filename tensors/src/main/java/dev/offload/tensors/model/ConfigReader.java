package dev.offload.tensors.model;

import dev.offload.tensors.ModelException;
import dev.offload.tensors.json.JsonFields;
import dev.offload.tensors.json.StrictJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
          new GptOssFamily(),
          DeepseekFamily.v2(),
          DeepseekFamily.v3());

  private ConfigReader() {}

  /**
   * What a configuration says.
   *
   * @param config the model
   * @param packing how the published checkpoint packs its matrices; empty if it does not
   * @param refusal why it cannot be run, naming file, field and value; empty if it can
   */
  public record Description(
      ModelConfig config, Optional<Packing> packing, Optional<String> refusal) {}

  /**
   * Reads the configuration of a model that is to be run.
   *
   * @param configJson the file; {@code generation_config.json} beside it is read too if it exists
   * @throws ModelException if the file is missing or damaged, or names a family, an option or a
   *     value that is not supported
   */
  public static ModelConfig read(Path configJson) throws IOException {
    Description description = describe(configJson);
    if (description.refusal().isPresent()) {
      throw new ModelException(description.refusal().get());
    }
    return description.config();
  }

  /**
   * Reads the configuration of a model of which only sizes are wanted, so that the engine need not
   * be able to run it.
   *
   * @param configJson as for {@link #read}
   * @throws ModelException if the file is missing or damaged, or names a family, an option or a
   *     value of which not even sizes are known
   */
  public static Description describe(Path configJson) throws IOException {
    if (!Files.isRegularFile(configJson)) {
      throw new ModelException(configJson + ": is missing; a model folder needs its config.json");
    }
    JsonFields config = StrictJson.readObject(configJson, MAX_BYTES);
    Family family = family(configJson, config);
    Optional<Packing> packing = PackingReader.read(config);
    try {
      ModelConfig read = family.read(config);
      UnknownOptions.refuse(config);
      return new Description(
          Tokens.addTo(read, config, generationConfig(configJson)),
          packing,
          packing.map(_ -> PackingReader.refusal(config)));
    } catch (IllegalArgumentException e) {
      throw new ModelException(configJson + ": " + e.getMessage(), e);
    }
  }

  private static Family family(Path configJson, JsonFields config) {
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
    return family;
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
