package dev.offload.tensors.model;

import dev.offload.tensors.json.JsonFields;

/** Llama 1 to 3.x and what is stored as if it were one. */
final class LlamaFamily implements Family {
  @Override
  public String modelType() {
    return "llama";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    boolean bias = config.flag("attention_bias", false);
    return new LlamaLike(config)
        .activation("hidden_act", "silu")
        .qkvBias(bias)
        .outputBias(bias)
        .mlpBias(config.flag("mlp_bias", false))
        .build();
  }
}
