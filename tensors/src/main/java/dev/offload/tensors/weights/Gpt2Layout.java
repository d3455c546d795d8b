package dev.offload.tensors.weights;

import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.ModelConfig.Mlp;

/** GPT-2's tensor names; its matrices are stored [inputs, outputs]. */
record Gpt2Layout(ModelConfig config, String prefix) implements TensorLayout {
  @Override
  public void embedding(UnitBuilder unit) {
    unit.matrix(Role.TOKEN_TABLE, table());
    unit.matrix(
        Role.POSITION_TABLE,
        Part.matrix(prefix + "wpe.weight", config.embedding().positionRows(), config.hiddenSize()));
  }

  @Override
  public void attention(UnitBuilder unit, int layer) {
    int hidden = config.hiddenSize();
    String block = block(layer);
    addNorm(unit, Role.ATTENTION_NORM, Role.ATTENTION_NORM_BIAS, block + "ln_1");
    addLinear(unit, Role.QKV, Role.QKV_BIAS, block + "attn.c_attn", 3 * hidden, hidden);
    addLinear(
        unit,
        Role.ATTENTION_OUTPUT,
        Role.ATTENTION_OUTPUT_BIAS,
        block + "attn.c_proj",
        hidden,
        hidden);
  }

  @Override
  public void mlp(UnitBuilder unit, int layer) {
    int width = ((Mlp) config.layers().get(layer).feedForward()).width();
    String block = block(layer);
    addNorm(unit, Role.FEED_FORWARD_NORM, Role.FEED_FORWARD_NORM_BIAS, block + "ln_2");
    addLinear(unit, Role.UP, Role.UP_BIAS, block + "mlp.c_fc", width, config.hiddenSize());
    addLinear(unit, Role.DOWN, Role.DOWN_BIAS, block + "mlp.c_proj", config.hiddenSize(), width);
  }

  @Override
  public void head(UnitBuilder unit) {
    addNorm(unit, Role.FINAL_NORM, Role.FINAL_NORM_BIAS, prefix + "ln_f");
  }

  @Override
  public void output(UnitBuilder unit) {
    unit.matrix(
        Role.OUTPUT,
        config.head().tied()
            ? table()
            : Part.matrix("lm_head.weight", config.vocabularySize(), config.hiddenSize()));
  }

  private Part table() {
    return Part.matrix(prefix + "wte.weight", config.vocabularySize(), config.hiddenSize());
  }

  private void addNorm(UnitBuilder unit, Role weight, Role bias, String name) {
    unit.vector(weight, name + ".weight", config.hiddenSize());
    unit.vector(bias, name + ".bias", config.hiddenSize());
  }

  private static void addLinear(
      UnitBuilder unit, Role matrix, Role bias, String name, int outputs, int inputs) {
    unit.matrix(matrix, Part.transposed(name + ".weight", outputs, inputs));
    unit.vector(bias, name + ".bias", outputs);
  }

  private String block(int layer) {
    return prefix + "h." + layer + ".";
  }
}
