package dev.offload.tensors.model;

import dev.offload.tensors.json.JsonFields;
import dev.offload.tensors.model.ModelConfig.Latent;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import dev.offload.tensors.model.ModelConfig.Mlp;
import dev.offload.tensors.model.ModelConfig.Norm;
import dev.offload.tensors.model.ModelConfig.Router;
import java.util.function.Function;

/** DeepSeek V2 and V3: latent attention, and a mixture of experts behind the first layers. */
final class DeepseekFamily implements Family {
  /** Of the norms of both latents, whatever {@code rms_norm_eps} says. */
  private static final float LATENT_EPSILON = 1e-6f;

  private final String modelType;
  private final Function<JsonFields, Router> router;

  private DeepseekFamily(String modelType, Function<JsonFields, Router> router) {
    this.modelType = modelType;
    this.router = router;
  }

  /** Softmax router, perhaps limited to the best groups of experts. */
  static DeepseekFamily v2() {
    return new DeepseekFamily("deepseek_v2", DeepseekFamily::routerOfV2);
  }

  /** Sigmoid router with a correction bias, limited to the best groups of experts. */
  static DeepseekFamily v3() {
    return new DeepseekFamily("deepseek_v3", DeepseekFamily::routerOfV3);
  }

  @Override
  public String modelType() {
    return modelType;
  }

  @Override
  public ModelConfig read(JsonFields config) {
    if (config.flag("attention_bias", false)) {
      throw config.refuse("attention_bias", "is not supported for model_type " + modelType);
    }
    if (config.integer("moe_layer_freq", 1, Limits.LAYERS, 1) != 1) {
      throw config.refuse("moe_layer_freq", "is not supported unless it is 1");
    }
    if (!config.flag("rope_interleave", true)) {
      throw config.refuse("rope_interleave", "is not supported unless it is true");
    }
    Latent latent = latent(config);
    LlamaLike model =
        new LlamaLike(config, latent.rotatedDim()).activation("hidden_act", "silu").latent(latent);
    int width = config.integer("moe_intermediate_size", 1, Limits.WIDTH);
    int shared = config.integer("n_shared_experts", 0, Limits.EXPERTS, 0);
    MixtureOfExperts mixture =
        Mixture.read(
            config,
            model.layers(),
            "n_routed_experts",
            model.mlp(width),
            router.apply(config),
            Math.multiplyExact(shared, width),
            false);
    int firstMixture = config.integer("first_k_dense_replace", 0, Limits.LAYERS, 0);
    Mlp mlp = model.mlp();
    return model
        .attentionScale(attentionScale(config, latent))
        .rope(model.ropeReader(latent.rotatedDim()).interleaved().read(10_000))
        .feedForward(layer -> layer < firstMixture ? mlp : mixture)
        .build();
  }

  private static Latent latent(JsonFields config) {
    return new Latent(
        config.integer("q_lora_rank", 0, Limits.WIDTH, 0),
        config.integer("kv_lora_rank", 1, Limits.WIDTH),
        config.integer("qk_nope_head_dim", 1, Limits.HEAD_DIM),
        config.integer("qk_rope_head_dim", 1, Limits.HEAD_DIM),
        config.integer("v_head_dim", 1, Limits.HEAD_DIM),
        new Norm(Norm.Kind.RMS, LATENT_EPSILON, false));
  }

  /** YaRN's factor on the dot products stands here and not in cosines and sines. */
  private static double attentionScale(JsonFields config, Latent latent) {
    double mscale =
        config
            .object("rope_scaling")
            .filter(scaling -> scaling.number("mscale_all_dim", 0, 1e6, 0) != 0)
            .map(
                scaling ->
                    RopeReader.yarnMscale(
                        scaling.number("factor", 1e-6, 1e6),
                        scaling.number("mscale_all_dim", 0, 1e6)))
            .orElse(1.0);
    return mscale * mscale / Math.sqrt(latent.headDim());
  }

  private static Router routerOfV2(JsonFields config) {
    requireText(config, "scoring_func", "softmax");
    if (config.flag("norm_topk_prob", false)) {
      throw config.refuse("norm_topk_prob", "is not supported for model_type deepseek_v2");
    }
    String method = config.text("topk_method").orElse("greedy");
    return switch (method) {
      case "greedy" -> Mixture.groupedRouter(config, Router.Scoring.SOFTMAX, false, false, false);
      case "group_limited_greedy" ->
          Mixture.groupedRouter(config, Router.Scoring.SOFTMAX, false, false, true);
      default ->
          throw config.refuse(
              "topk_method", "is not supported; supported are greedy, group_limited_greedy");
    };
  }

  private static Router routerOfV3(JsonFields config) {
    requireText(config, "scoring_func", "sigmoid");
    requireText(config, "topk_method", "noaux_tc");
    return Mixture.groupedRouter(
        config, Router.Scoring.SIGMOID, config.flag("norm_topk_prob", true), true, true);
  }

  private static void requireText(JsonFields config, String name, String only) {
    if (!config.text(name).orElse(only).equals(only)) {
      throw config.refuse(
          name,
          "is not supported for model_type %s unless it is %s"
              .formatted(config.text("model_type").orElseThrow(), only));
    }
  }
}
