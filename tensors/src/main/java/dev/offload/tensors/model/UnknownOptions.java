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
          "_remove_final_layer_norm",
          "activation_sparsity_pattern",
          "add_bias_linear",
          "add_cross_attention",
          "add_qkv_bias",
          "alibi",
          "altup_num_inputs",
          "apply_layernorm_1p",
          "apply_residual_connection_post_layernorm",
          "attention_bias",
          "attention_chunk_size",
          "attention_multiplier",
          "attention_out_bias",
          "attention_qkv_bias",
          "attn_bias",
          "attn_logit_softcapping",
          "attn_output_gate",
          "attn_temperature_tuning",
          "bias",
          "clip_qkv",
          "compression_config",
          "cross_attention_layers",
          "decoder_sparse_step",
          "dim_model_base",
          "embedding_multiplier",
          "final_logit_softcapping",
          "first_k_dense_replace",
          "full_attention_interval",
          "hidden_size_per_layer_input",
          "index_topk",
          "interleave_moe_layer_step",
          "is_encoder_decoder",
          "key_multiplier",
          "kv_lora_rank",
          "laurel_rank",
          "layer_norm_1p",
          "layer_types",
          "linear_num_value_heads",
          "lm_head_bias",
          "lm_head_multiplier",
          "logit_scale",
          "logits_scaling",
          "mlp_bias",
          "mlp_only_layers",
          "moe_intermediate_size",
          "moe_layer_freq",
          "moe_layer_interval",
          "moe_num_experts",
          "moe_num_shared_experts",
          "moe_router_enable_expert_bias",
          "mscale",
          "n_group",
          "n_routed_experts",
          "n_shared_experts",
          "no_rope_layer_interval",
          "no_rope_layers",
          "nope_layers",
          "norm_topk_prob",
          "num_experts",
          "num_kv_shared_layers",
          "num_local_experts",
          "num_shared_experts",
          "parallel_attn",
          "parallel_residual",
          "partial_rotary_factor",
          "post_norm",
          "q_lora_rank",
          "qk_layer_norms",
          "qk_layernorm",
          "qk_nope_head_dim",
          "qk_norm",
          "qk_rope_head_dim",
          "qkv_bias",
          "quantization",
          "query_pre_attn_scalar",
          "residual_multiplier",
          "rope_interleave",
          "rope_interleaved",
          "rope_local_base_freq",
          "rope_parameters",
          "rope_ratio",
          "rope_scaling",
          "rotary_dim",
          "rotary_emb_base",
          "rotary_pct",
          "routed_scaling_factor",
          "scale_attn_by_inverse_layer_idx",
          "scale_depth",
          "scale_emb",
          "score_function",
          "scoring_func",
          "shared_expert_intermediate_size",
          "sliding_window",
          "sliding_window_pattern",
          "softmax_scale",
          "swiglu_alpha",
          "swiglu_limit",
          "topk_group",
          "topk_method",
          "use_alibi",
          "use_bias",
          "use_bidirectional_attention",
          "use_expert_bias",
          "use_mup",
          "use_parallel_residual",
          "use_qk_norm",
          "use_qkv_bias",
          "use_sliding_window",
          "v_head_dim",
          "zero_expert_num");

  private static final String POSITIONS = "position_embedding_type";

  /** How positions may be called by families that rotate or look them up as all do here. */
  private static final Set<String> KNOWN_POSITIONS = Set.of("rope", "rotary", "absolute");

  private UnknownOptions() {}

  static void refuse(JsonFields config) {
    if (config.text(POSITIONS).filter(type -> !KNOWN_POSITIONS.contains(type)).isPresent()) {
      throw config.refuse(POSITIONS, "is not supported unless it is rope, rotary or absolute");
    }
    for (String name : config.names()) {
      if (CHANGE_THE_RESULT.contains(name) && !config.wasAsked(name) && config.isSet(name)) {
        throw config.refuse(
            name, "is not supported for model_type " + config.text("model_type").orElseThrow());
      }
    }
  }
}
