package dev.offload.tensors.model;

import dev.offload.tensors.json.JsonFields;

/** Phi 3 and 4-mini: Llama with fused projections, a window, and LongRoPE for long contexts. */
final class Phi3Family implements Family {
  @Override
  public String modelType() {
    return "phi3";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    if (config.flag("attention_bias", false)) {
      throw config.refuse("attention_bias", "is not supported for phi3");
    }
    LlamaLike model = new LlamaLike(config).activation("hidden_act", "silu").epsilonByDefault(1e-5);
    return model
        .windows(LayerWindows.sliding(config, model.layers(), layer -> true))
        .rope(model.ropeReader().read(10_000))
        .build();
  }
}
