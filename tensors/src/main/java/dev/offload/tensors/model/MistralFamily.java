package dev.offload.tensors.model;

import dev.offload.tensors.json.JsonFields;

/** Mistral 7B and its successors: Llama with a sliding window in every layer. */
final class MistralFamily implements Family {
  @Override
  public String modelType() {
    return "mistral";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    LlamaLike model = new LlamaLike(config).activation("hidden_act", "silu");
    return model.windows(LayerWindows.sliding(config, model.layers(), layer -> true)).build();
  }
}
