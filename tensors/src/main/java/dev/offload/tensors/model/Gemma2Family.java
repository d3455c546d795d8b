package dev.offload.tensors.model;

import dev.offload.tensors.json.JsonFields;

/** Gemma 2: soft caps, four norms a layer, a window in every other layer. */
final class Gemma2Family implements Family {
  private static final int DEFAULT_HEAD_DIM = 256;

  @Override
  public String modelType() {
    return "gemma2";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    LlamaLike model =
        new LlamaLike(config, DEFAULT_HEAD_DIM)
            .activation("hidden_activation", "gelu_pytorch_tanh");
    boolean bias = config.flag("attention_bias", false);
    return model
        .qkvBias(bias)
        .outputBias(bias)
        .attentionScale(1 / Math.sqrt(config.number("query_pre_attn_scalar", 1e-6, 1e6, 256)))
        .softCaps(
            config.number("attn_logit_softcapping", 1e-6, 1e6, 0),
            config.number("final_logit_softcapping", 1e-6, 1e6, 0))
        .embeddingScale(Math.sqrt(model.hidden()))
        .tiedByDefault()
        .gemmaNorms()
        .windows(LayerWindows.sliding(config, model.layers(), layer -> layer % 2 == 0))
        .build();
  }
}
