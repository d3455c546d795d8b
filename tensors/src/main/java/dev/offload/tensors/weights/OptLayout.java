package dev.offload.tensors.weights;

import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.ModelConfig.Attention;
import dev.offload.tensors.model.ModelConfig.Mlp;
import dev.offload.tensors.model.ModelConfig.Norm;
import java.util.List;

/** OPT's tensor names. */
record OptLayout(ModelConfig config, String prefix) implements TensorLayout {
  @Override
  public void embedding(UnitBuilder unit) {
    int width = config.embedding().width();
    unit.matrix(Role.TOKEN_TABLE, table());
    unit.matrix(
        Role.POSITION_TABLE,
        Part.matrix(
            prefix + "embed_positions.weight",
            config.embedding().positionRows(),
            config.hiddenSize()));
    if (width != config.hiddenSize()) {
      unit.matrix(
          Role.PROJECT_IN, Part.matrix(prefix + "project_in.weight", config.hiddenSize(), width));
    }
  }

  @Override
  public void attention(UnitBuilder unit, int layer) {
    Attention attention = config.layers().get(layer).attention();
    int hidden = config.hiddenSize();
    String self = layer(layer) + "self_attn.";
    addNorm(
        unit, Role.ATTENTION_NORM, Role.ATTENTION_NORM_BIAS, layer(layer) + "self_attn_layer_norm");
    unit.matrix(
        Role.QKV,
        Part.matrix(self + "q_proj.weight", hidden, hidden),
        Part.matrix(self + "k_proj.weight", hidden, hidden),
        Part.matrix(self + "v_proj.weight", hidden, hidden));
    if (attention.qkvBias()) {
      unit.vector(
          Role.QKV_BIAS,
          List.of(
              Part.vector(self + "q_proj.bias", hidden),
              Part.vector(self + "k_proj.bias", hidden),
              Part.vector(self + "v_proj.bias", hidden)));
    }
    unit.matrix(Role.ATTENTION_OUTPUT, Part.matrix(self + "out_proj.weight", hidden, hidden));
    if (attention.outputBias()) {
      unit.vector(Role.ATTENTION_OUTPUT_BIAS, self + "out_proj.bias", hidden);
    }
  }

  @Override
  public void mlp(UnitBuilder unit, int layer) {
    Mlp mlp = (Mlp) config.layers().get(layer).feedForward();
    int hidden = config.hiddenSize();
    addNorm(
        unit,
        Role.FEED_FORWARD_NORM,
        Role.FEED_FORWARD_NORM_BIAS,
        layer(layer) + "final_layer_norm");
    unit.matrix(Role.UP, Part.matrix(layer(layer) + "fc1.weight", mlp.width(), hidden));
    unit.matrix(Role.DOWN, Part.matrix(layer(layer) + "fc2.weight", hidden, mlp.width()));
    if (mlp.bias()) {
      unit.vector(Role.UP_BIAS, layer(layer) + "fc1.bias", mlp.width());
      unit.vector(Role.DOWN_BIAS, layer(layer) + "fc2.bias", hidden);
    }
  }

  @Override
  public void head(UnitBuilder unit) {
    int width = config.embedding().width();
    if (config.finalNorm().kind() != Norm.Kind.NONE) {
      addNorm(unit, Role.FINAL_NORM, Role.FINAL_NORM_BIAS, prefix + "final_layer_norm");
    }
    if (width != config.hiddenSize()) {
      unit.matrix(
          Role.PROJECT_OUT, Part.matrix(prefix + "project_out.weight", width, config.hiddenSize()));
    }
  }

  @Override
  public void output(UnitBuilder unit) {
    unit.matrix(
        Role.OUTPUT,
        config.head().tied()
            ? table()
            : Part.matrix("lm_head.weight", config.vocabularySize(), config.embedding().width()));
  }

  private Part table() {
    return Part.matrix(
        prefix + "embed_tokens.weight", config.vocabularySize(), config.embedding().width());
  }

  private void addNorm(UnitBuilder unit, Role weight, Role bias, String name) {
    unit.vector(weight, name + ".weight", config.hiddenSize());
    unit.vector(bias, name + ".bias", config.hiddenSize());
  }

  private String layer(int layer) {
    return prefix + "layers." + layer + ".";
  }
}
