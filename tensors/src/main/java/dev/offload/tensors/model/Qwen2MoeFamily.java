package dev.offload.tensors.model;

import dev.offload.tensors.json.JsonFields;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import dev.offload.tensors.model.ModelConfig.Mlp;
import java.util.List;

/** Qwen 1.5 and 2 mixtures: Qwen 2 with routed experts and a gated shared one. */
final class Qwen2MoeFamily implements Family {
  @Override
  public String modelType() {
    return "qwen2_moe";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    LlamaLike model =
        new LlamaLike(config)
            .activation("hidden_act", "silu")
            .qkvBias(config.flag("qkv_bias", true));
    QwenWindows.addTo(model, config);
    MixtureOfExperts mixture =
        Mixture.read(
            config,
            model.layers(),
            "num_experts",
            model.mlp(config.integer("moe_intermediate_size", 1, Limits.WIDTH)),
            Mixture.softmaxRouter(config.flag("norm_topk_prob", false)),
            config.integer("shared_expert_intermediate_size", 1, Limits.WIDTH),
            true);
    List<Integer> dense = config.integers("mlp_only_layers", 0, Limits.LAYERS);
    int step = config.integer("decoder_sparse_step", 1, Limits.LAYERS, 1);
    Mlp mlp = model.mlp();
    return model.feedForward(layer -> Mixture.qwenLayer(dense, step, layer, mlp, mixture)).build();
  }
}
