package dev.offload.tensors.model;

import dev.offload.tensors.json.JsonFields;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import dev.offload.tensors.model.ModelConfig.Mlp;
import dev.offload.tensors.model.ModelConfig.QueryKeyNorm;
import java.util.List;

/** Qwen 3 mixtures: Qwen 3 with routed experts. */
final class Qwen3MoeFamily implements Family {
  @Override
  public String modelType() {
    return "qwen3_moe";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    boolean bias = config.flag("attention_bias", false);
    LlamaLike model =
        new LlamaLike(config)
            .activation("hidden_act", "silu")
            .qkvBias(bias)
            .outputBias(bias)
            .queryKeyNorm(QueryKeyNorm.PER_HEAD);
    QwenWindows.addTo(model, config);
    MixtureOfExperts mixture =
        Mixture.read(
            config,
            model.layers(),
            "num_experts",
            model.mlp(config.integer("moe_intermediate_size", 1, Limits.WIDTH)),
            Mixture.softmaxRouter(config.flag("norm_topk_prob", false)));
    List<Integer> dense = config.integers("mlp_only_layers", 0, Limits.LAYERS);
    int step = config.integer("decoder_sparse_step", 1, Limits.LAYERS, 1);
    Mlp mlp = model.mlp();
    return model.feedForward(layer -> Mixture.qwenLayer(dense, step, layer, mlp, mixture)).build();
  }
}
