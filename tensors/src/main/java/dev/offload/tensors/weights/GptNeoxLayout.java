package dev.offload.tensors.weights;

import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.ModelConfig.Attention;
import dev.offload.tensors.model.ModelConfig.Mlp;
import java.util.ArrayList;
import java.util.List;

/** GPT-NeoX's tensor names; query, key and value of each head lie together. */
record GptNeoxLayout(ModelConfig config, String prefix) implements TensorLayout {
  @Override
  public void embedding(UnitBuilder unit) {
    unit.matrix(Role.TOKEN_TABLE, table());
  }

  @Override
  public void attention(UnitBuilder unit, int layer) {
    Attention attention = config.layers().get(layer).attention();
    int hidden = config.hiddenSize();
    String self = layer(layer) + "attention.";
    String fused = self + "query_key_value";
    addNorm(unit, Role.ATTENTION_NORM, Role.ATTENTION_NORM_BIAS, layer(layer) + "input_layernorm");
    unit.matrix(Role.QKV, perHead(Part.matrix(fused + ".weight", 3 * hidden, hidden), attention));
    if (attention.qkvBias()) {
      unit.vector(Role.QKV_BIAS, perHead(Part.vector(fused + ".bias", 3 * hidden), attention));
    }
    unit.matrix(Role.ATTENTION_OUTPUT, Part.matrix(self + "dense.weight", hidden, hidden));
    if (attention.outputBias()) {
      unit.vector(Role.ATTENTION_OUTPUT_BIAS, self + "dense.bias", hidden);
    }
  }

  @Override
  public void mlp(UnitBuilder unit, int layer) {
    int width = ((Mlp) config.layers().get(layer).feedForward()).width();
    int hidden = config.hiddenSize();
    String mlp = layer(layer) + "mlp.";
    addNorm(
        unit,
        Role.FEED_FORWARD_NORM,
        Role.FEED_FORWARD_NORM_BIAS,
        layer(layer) + "post_attention_layernorm");
    unit.matrix(Role.UP, Part.matrix(mlp + "dense_h_to_4h.weight", width, hidden));
    unit.vector(Role.UP_BIAS, mlp + "dense_h_to_4h.bias", width);
    unit.matrix(Role.DOWN, Part.matrix(mlp + "dense_4h_to_h.weight", hidden, width));
    unit.vector(Role.DOWN_BIAS, mlp + "dense_4h_to_h.bias", hidden);
  }

  @Override
  public void head(UnitBuilder unit) {
    addNorm(unit, Role.FINAL_NORM, Role.FINAL_NORM_BIAS, prefix + "final_layer_norm");
  }

  @Override
  public void output(UnitBuilder unit) {
    unit.matrix(
        Role.OUTPUT,
        config.head().tied()
            ? table()
            : Part.matrix("embed_out.weight", config.vocabularySize(), config.hiddenSize()));
  }

  private Part table() {
    return Part.matrix(prefix + "embed_in.weight", config.vocabularySize(), config.hiddenSize());
  }

  /** All queries, then all keys, then all values, of rows that go q, k, v head by head. */
  private static List<Part> perHead(Part fused, Attention attention) {
    int width = attention.headDim();
    List<Part> parts = new ArrayList<>();
    for (int kind = 0; kind < 3; kind++) {
      for (int head = 0; head < attention.heads(); head++) {
        parts.add(fused.range((3 * head + kind) * width, width));
      }
    }
    return parts;
  }

  private void addNorm(UnitBuilder unit, Role weight, Role bias, String name) {
    unit.vector(weight, name + ".weight", config.hiddenSize());
    unit.vector(bias, name + ".bias", config.hiddenSize());
  }

  private String layer(int layer) {
    return prefix + "layers." + layer + ".";
  }
}
