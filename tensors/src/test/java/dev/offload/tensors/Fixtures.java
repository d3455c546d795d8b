package dev.offload.tensors;

import java.nio.file.Path;
import java.util.List;

/** The tiny models that the engine's tests use too. */
public final class Fixtures {
  /** All that can be run. */
  public static final List<String> SUPPORTED =
      List.of(
          "deepseek-v2-lite",
          "deepseek-v3",
          "gemma2",
          "gemma3-text",
          "glm4-moe",
          "gpt-oss-bf16",
          "gpt2-base",
          "llama-bias-unigram",
          "llama-dynamic",
          "llama-linear",
          "llama-v5-config",
          "llama-yarn",
          "llama2-mha",
          "llama31-gqa",
          "llama32-tied",
          "mistral-swa",
          "mixtral",
          "neox-pythia",
          "olmoe",
          "opt-post-proj",
          "opt-pre",
          "phi3-longrope",
          "phi3-swa",
          "qwen2-bias",
          "qwen2-moe",
          "qwen2-tied-swa",
          "qwen3-dense",
          "qwen3-moe");

  private static final Path ROOT = Path.of("..", "engine", "src", "test", "resources", "fixtures");

  private Fixtures() {}

  public static Path folder(String name) {
    return ROOT.resolve(name);
  }
}
