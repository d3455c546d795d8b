package dev.offload.tensors.model;

import dev.offload.tensors.json.JsonFields;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import dev.offload.tensors.model.ModelConfig.QueryKeyNorm;

/** OLMoE: a norm over all query heads and one over all key heads; a mixture in every layer. */
final class OlmoeFamily implements Family {
  @Override
  public String modelType() {
    return "olmoe";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    boolean bias = config.flag("attention_bias", false);
    LlamaLike model =
        new LlamaLike(config)
            .activation("hidden_act", "silu")
            .epsilonByDefault(1e-5)
            .qkvBias(bias)
            .outputBias(bias)
            .queryKeyNorm(QueryKeyNorm.WHOLE);
    MixtureOfExperts mixture =
        Mixture.read(
            config,
            model.layers(),
            "num_experts",
            model.mlp(),
            Mixture.softmaxRouter(config.flag("norm_topk_prob", false)));
    return model.feedForward(layer -> mixture).build();
  }
}
