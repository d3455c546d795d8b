package dev.offload.tensors.weights;

import dev.offload.tensors.model.ModelConfig;
import java.util.Arrays;

/** Finds the layout of a family and the prefix its tensors have in a checkpoint. */
final class Layouts {
  private Layouts() {}

  static TensorLayout of(ModelConfig config, StoredFormats stored) {
    return switch (config.family()) {
      case "opt" ->
          new OptLayout(
              config, prefix(stored, "embed_tokens.weight", "model.decoder.", "decoder.", ""));
      case "gpt2" -> new Gpt2Layout(config, prefix(stored, "wte.weight", "transformer.", ""));
      case "gpt_neox" ->
          new GptNeoxLayout(config, prefix(stored, "embed_in.weight", "gpt_neox.", ""));
      case "phi3" -> new Phi3Layout(config, llamaPrefix(stored));
      case "mixtral" -> new MixtralLayout(config, llamaPrefix(stored));
      case "gpt_oss" -> new GptOssLayout(config, llamaPrefix(stored));
      case "glm4_moe" -> new LlamaLayout(config, llamaPrefix(stored), "shared_experts");
      case "deepseek_v2", "deepseek_v3" -> new LatentLayout(config, llamaPrefix(stored));
      case "gemma2", "gemma3_text" -> new GemmaLayout(config, llamaPrefix(stored));
      case "llama", "mistral", "qwen2", "qwen3", "qwen2_moe", "qwen3_moe", "olmoe" ->
          new LlamaLayout(config, llamaPrefix(stored), "shared_expert");
      default ->
          throw new IllegalArgumentException(
              "tensor names of the family " + config.family() + " are not known");
    };
  }

  private static String llamaPrefix(StoredFormats stored) {
    return prefix(stored, "embed_tokens.weight", "model.", "");
  }

  /** The first prefix under which the tensor exists; the first of all if there is none. */
  private static String prefix(StoredFormats stored, String tensor, String... prefixes) {
    return Arrays.stream(prefixes)
        .filter(prefix -> stored.has(prefix + tensor))
        .findFirst()
        .orElse(prefixes[0]);
  }
}
