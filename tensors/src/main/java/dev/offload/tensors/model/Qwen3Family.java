package dev.offload.tensors.model;

import dev.offload.tensors.json.JsonFields;
import dev.offload.tensors.model.ModelConfig.QueryKeyNorm;

/** Qwen 3: Llama with a norm on every query and key head. */
final class Qwen3Family implements Family {
  private static final int DEFAULT_HEAD_DIM = 128;

  @Override
  public String modelType() {
    return "qwen3";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    boolean bias = config.flag("attention_bias", false);
    LlamaLike model =
        new LlamaLike(config, DEFAULT_HEAD_DIM)
            .activation("hidden_act", "silu")
            .qkvBias(bias)
            .outputBias(bias)
            .queryKeyNorm(QueryKeyNorm.PER_HEAD);
    QwenWindows.addTo(model, config);
    return model.build();
  }
}
