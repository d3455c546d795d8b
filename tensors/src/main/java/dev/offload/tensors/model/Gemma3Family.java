package dev.offload.tensors.model;

import dev.offload.tensors.json.JsonFields;
import dev.offload.tensors.model.ModelConfig.QueryKeyNorm;
import java.util.Optional;

/** The text part of Gemma 3: Gemma 2 with query and key norms and a rope of its own for windows. */
final class Gemma3Family implements Family {
  private static final int DEFAULT_HEAD_DIM = 256;
  private static final double GLOBAL_BASE = 1e6;
  private static final double LOCAL_BASE = 1e4;

  @Override
  public String modelType() {
    return "gemma3_text";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    LlamaLike model =
        new LlamaLike(config, DEFAULT_HEAD_DIM)
            .activation("hidden_activation", "gelu_pytorch_tanh");
    if (config.flag("use_bidirectional_attention", false)) {
      throw config.refuse("use_bidirectional_attention", "is not supported");
    }
    int pattern = config.integer("sliding_window_pattern", 1, Limits.LAYERS, 6);
    boolean[] sliding =
        LayerWindows.sliding(config, model.layers(), layer -> (layer + 1) % pattern != 0);
    Rope global = rope(model, config, "full_attention", "rope_theta", GLOBAL_BASE);
    Rope local = rope(model, config, "sliding_attention", "rope_local_base_freq", LOCAL_BASE);
    boolean bias = config.flag("attention_bias", false);
    return model
        .qkvBias(bias)
        .outputBias(bias)
        .queryKeyNorm(QueryKeyNorm.PER_HEAD)
        .attentionScale(1 / Math.sqrt(config.number("query_pre_attn_scalar", 1e-6, 1e6, 256)))
        .softCaps(
            config.number("attn_logit_softcapping", 1e-6, 1e6, 0),
            config.number("final_logit_softcapping", 1e-6, 1e6, 0))
        .embeddingScale(Math.sqrt(model.hidden()))
        .tiedByDefault()
        .gemmaNorms()
        .windows(sliding)
        .rope(layer -> sliding[layer] ? local : global)
        .build();
  }

  /**
   * Only global layers are scaled in the old layout; the new one has an entry per kind of layer.
   */
  private static Rope rope(
      LlamaLike model, JsonFields config, String kind, String baseField, double defaultBase) {
    double base = config.number(baseField, 1e-6, 1e12, defaultBase);
    Optional<JsonFields> parameters =
        config.object("rope_parameters").flatMap(fields -> fields.object(kind));
    if (parameters.isPresent()) {
      return model.ropeReader().of(parameters.get(), base, 1);
    }
    Optional<JsonFields> scaling = config.object("rope_scaling");
    boolean scaled = kind.equals("full_attention");
    return model.ropeReader().of(scaled ? scaling : Optional.empty(), base, 1);
  }
}
