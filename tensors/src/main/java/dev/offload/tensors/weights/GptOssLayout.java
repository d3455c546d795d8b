package dev.offload.tensors.weights;

import dev.offload.tensors.model.ModelConfig;
import java.util.List;

/**
 * gpt-oss: all experts of a layer in one tensor, stored [experts, inputs, outputs], gate and up
 * columns taking turns.
 */
final class GptOssLayout extends LlamaLayout {
  GptOssLayout(ModelConfig config, String prefix) {
    super(config, prefix, "");
  }

  @Override
  String routerName() {
    return "mlp.router";
  }

  @Override
  public void expert(UnitBuilder unit, int layer, int expert) {
    int experts = mixture(layer).experts();
    int width = mixture(layer).expert().width();
    int hidden = config.hiddenSize();
    String name = layer(layer) + "mlp.experts.";
    Part up =
        new Part(
            name + "gate_up_proj",
            List.of(experts, hidden, 2 * width),
            expert,
            0,
            2 * width,
            1,
            true);
    Part upBias =
        new Part(
            name + "gate_up_proj_bias",
            List.of(experts, 2 * width),
            expert,
            0,
            2 * width,
            1,
            false);
    unit.matrix(Role.UP, up.every(2, 0, width), up.every(2, 1, width));
    unit.vector(Role.UP_BIAS, List.of(upBias.every(2, 0, width), upBias.every(2, 1, width)));
    unit.matrix(
        Role.DOWN,
        new Part(name + "down_proj", List.of(experts, width, hidden), expert, 0, hidden, 1, true));
    unit.vector(
        Role.DOWN_BIAS,
        List.of(
            new Part(
                name + "down_proj_bias", List.of(experts, hidden), expert, 0, hidden, 1, false)));
  }
}
