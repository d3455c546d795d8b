package dev.offload.tensors.weights;

import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.ModelConfig.Attention;
import dev.offload.tensors.model.ModelConfig.Mlp;
import java.util.List;

/** Phi 3: queries, keys and values in one tensor, gate and up in another, in our order already. */
final class Phi3Layout extends LlamaLayout {
  Phi3Layout(ModelConfig config, String prefix) {
    super(config, prefix, "");
  }

  @Override
  List<Part> qkv(String self, Attention attention) {
    return List.of(
        Part.matrix(self + "qkv_proj.weight", attention.qkvWidth(), config.hiddenSize()));
  }

  @Override
  void addMlp(UnitBuilder unit, String name, Mlp mlp) {
    int hidden = config.hiddenSize();
    unit.matrix(Role.UP, Part.matrix(name + "gate_up_proj.weight", 2 * mlp.width(), hidden));
    unit.matrix(Role.DOWN, Part.matrix(name + "down_proj.weight", hidden, mlp.width()));
  }
}
