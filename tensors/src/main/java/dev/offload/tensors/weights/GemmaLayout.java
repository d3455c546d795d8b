package dev.offload.tensors.weights;

import dev.offload.tensors.model.ModelConfig;

/** Gemma 2 and 3: norms around each part on both sides. */
final class GemmaLayout extends LlamaLayout {
  GemmaLayout(ModelConfig config, String prefix) {
    super(config, prefix, "");
  }

  @Override
  void addAttentionPostNorm(UnitBuilder unit, String layer) {
    unit.vector(
        Role.ATTENTION_POST_NORM, layer + "post_attention_layernorm.weight", config.hiddenSize());
  }

  @Override
  void addFeedForwardNorms(UnitBuilder unit, String layer) {
    unit.vector(
        Role.FEED_FORWARD_NORM, layer + "pre_feedforward_layernorm.weight", config.hiddenSize());
    unit.vector(
        Role.FEED_FORWARD_POST_NORM,
        layer + "post_feedforward_layernorm.weight",
        config.hiddenSize());
  }
}
