package dev.offload.tensors.weights;

import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.ModelConfig.Attention;
import dev.offload.tensors.model.ModelConfig.Latent;

/** DeepSeek: Llama with latent attention and shared experts. */
final class LatentLayout extends LlamaLayout {
  LatentLayout(ModelConfig config, String prefix) {
    super(config, prefix, "shared_experts");
  }

  @Override
  void addProjections(UnitBuilder unit, String self, Attention attention) {
    Latent latent = attention.latent().orElseThrow();
    int hidden = config.hiddenSize();
    int queries = attention.heads() * latent.headDim();
    boolean direct = latent.queryRank() == 0;
    Part keysAndValues =
        Part.matrix(
            self + "kv_a_proj_with_mqa.weight", latent.rank() + latent.rotatedDim(), hidden);
    if (direct) {
      unit.matrix(Role.QKV, Part.matrix(self + "q_proj.weight", queries, hidden), keysAndValues);
    } else {
      unit.matrix(
          Role.QKV,
          Part.matrix(self + "q_a_proj.weight", latent.queryRank(), hidden),
          keysAndValues);
      unit.vector(Role.QUERY_LATENT_NORM, self + "q_a_layernorm.weight", latent.queryRank());
      unit.matrix(
          Role.QUERY_UP, Part.matrix(self + "q_b_proj.weight", queries, latent.queryRank()));
    }
    unit.vector(Role.KEY_VALUE_LATENT_NORM, self + "kv_a_layernorm.weight", latent.rank());
    unit.matrix(
        Role.KEY_VALUE_UP,
        Part.matrix(
            self + "kv_b_proj.weight",
            attention.heads() * (latent.plainDim() + latent.valueDim()),
            latent.rank()));
  }
}
