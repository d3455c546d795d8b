package dev.offload.tensors.model;

import dev.offload.tensors.json.JsonFields;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import dev.offload.tensors.model.ModelConfig.Mlp;
import dev.offload.tensors.model.ModelConfig.QueryKeyNorm;
import dev.offload.tensors.model.ModelConfig.Router;

/**
 * GLM 4.5 and later: sigmoid router with a correction bias, a shared expert, half rotated heads.
 */
final class Glm4MoeFamily implements Family {
  @Override
  public String modelType() {
    return "glm4_moe";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    LlamaLike model =
        new LlamaLike(config)
            .activation("hidden_act", "silu")
            .epsilonByDefault(1e-5)
            .qkvBias(config.flag("attention_bias", false))
            .queryKeyNorm(
                config.flag("use_qk_norm", false) ? QueryKeyNorm.PER_HEAD : QueryKeyNorm.NONE);
    int width = config.integer("moe_intermediate_size", 1, Limits.WIDTH);
    int shared = config.integer("n_shared_experts", 0, Limits.EXPERTS, 1);
    MixtureOfExperts mixture =
        Mixture.read(
            config,
            model.layers(),
            "n_routed_experts",
            model.mlp(width),
            Mixture.groupedRouter(
                config, Router.Scoring.SIGMOID, config.flag("norm_topk_prob", true), true, true),
            Math.multiplyExact(shared, width),
            false);
    int firstMixture = config.integer("first_k_dense_replace", 0, Limits.LAYERS, 1);
    Mlp mlp = model.mlp();
    return model
        .rope(model.ropeReader().read(10_000, 0.5))
        .feedForward(layer -> layer < firstMixture ? mlp : mixture)
        .build();
  }
}
