package dev.offload.tensors.weights;

import dev.offload.tensors.model.ModelConfig;

/** Mixtral: Llama with experts whose gate, up and down matrices are called w1, w3 and w2. */
final class MixtralLayout extends LlamaLayout {
  MixtralLayout(ModelConfig config, String prefix) {
    super(config, prefix, "");
  }

  @Override
  String routerName() {
    return "block_sparse_moe.gate";
  }

  @Override
  public void expert(UnitBuilder unit, int layer, int expert) {
    String name = layer(layer) + "block_sparse_moe.experts." + expert + ".";
    addGatedMlp(unit, name + "w1", name + "w3", name + "w2", mixture(layer).expert());
  }
}
