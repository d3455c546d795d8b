package dev.offload.tensors.model;

import dev.offload.tensors.json.JsonFields;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;

/** Mixtral: Mistral with a mixture of experts in every layer. */
final class MixtralFamily implements Family {
  @Override
  public String modelType() {
    return "mixtral";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    LlamaLike model = new LlamaLike(config).activation("hidden_act", "silu").epsilonByDefault(1e-5);
    MixtureOfExperts mixture =
        Mixture.read(
            config, model.layers(), "num_local_experts", model.mlp(), Mixture.softmaxRouter(true));
    return model
        .windows(LayerWindows.sliding(config, model.layers(), layer -> true))
        .rope(model.ropeReader().read(1e6))
        .feedForward(layer -> mixture)
        .build();
  }
}
