package dev.offload.tensors.model;

import dev.offload.tensors.json.JsonFields;

/** Qwen 2 and 2.5: Llama with biases on queries, keys and values. */
final class Qwen2Family implements Family {
  @Override
  public String modelType() {
    return "qwen2";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    LlamaLike model = new LlamaLike(config).activation("hidden_act", "silu").qkvBias(true);
    QwenWindows.addTo(model, config);
    return model.build();
  }
}
