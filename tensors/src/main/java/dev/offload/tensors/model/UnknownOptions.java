package dev.offload.tensors.model;

import dev.offload.tensors.json.JsonFields;
import java.util.Set;

/**
 * Options that change what a model computes. A family reads those it understands; one that is set
 * and that nobody asked for is refused rather than ignored.
 */
final class UnknownOptions {
  private static final Set<String> CHANGE_THE_RESULT =
      Set.of(
          "add_cross_attention",
          "alibi",
          "attention_multiplier",
          "attn_logit_softcapping",
          "clip_qkv",
          "cross_attention_layers",
          "embedding_multiplier",
          "final_logit_softcapping",
          "kv_lora_rank",
          "layer_types",
          "logit_scale",
          "logits_scaling",
          "mlp_bias",
          "attention_bias",
          "moe_layer_freq",
          "mscale",
          "n_routed_experts",
          "n_shared_experts",
          "no_rope_layers",
          "num_experts",
          "num_local_experts",
          "partial_rotary_factor",
          "q_lora_rank",
          "query_pre_attn_scalar",
          "residual_multiplier",
          "rope_interleaved",
          "rope_parameters",
          "rope_scaling",
          "rotary_pct",
          "scale_attn_by_inverse_layer_idx",
          "scoring_func",
          "sliding_window",
          "sliding_window_pattern",
          "swiglu_limit",
          "use_bidirectional_attention",
          "use_mup",
          "use_qk_norm",
          "zero_expert_num");

  private UnknownOptions() {}

  static void refuse(JsonFields config) {
    for (String name : config.names()) {
      if (CHANGE_THE_RESULT.contains(name) && !config.wasAsked(name) && config.isSet(name)) {
        throw config.refuse(
            name, "is not supported for model_type " + config.text("model_type").orElseThrow());
      }
    }
  }
}
