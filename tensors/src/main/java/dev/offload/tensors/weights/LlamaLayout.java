package dev.offload.tensors.weights;

import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.ModelConfig.Attention;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import dev.offload.tensors.model.ModelConfig.Mlp;
import dev.offload.tensors.model.ModelConfig.QueryKeyNorm;
import java.util.ArrayList;
import java.util.List;

/** Llama's tensor names, which most families took over; subclasses say where theirs differ. */
class LlamaLayout implements TensorLayout {
  final ModelConfig config;
  private final String prefix;
  private final String sharedName;

  /**
   * A layout.
   *
   * @param prefix what all names but the head's begin with
   * @param sharedName what the expert that every token takes is called
   */
  LlamaLayout(ModelConfig config, String prefix, String sharedName) {
    this.config = config;
    this.prefix = prefix;
    this.sharedName = sharedName;
  }

  @Override
  public final void embedding(UnitBuilder unit) {
    unit.matrix(Role.TOKEN_TABLE, table());
  }

  @Override
  public final void attention(UnitBuilder unit, int layer) {
    Attention attention = config.layers().get(layer).attention();
    String self = layer(layer) + "self_attn.";
    unit.vector(Role.ATTENTION_NORM, layer(layer) + "input_layernorm.weight", config.hiddenSize());
    addProjections(unit, self, attention);
    if (attention.sinks()) {
      unit.vector(Role.SINKS, self + "sinks", attention.heads());
    }
    addLinear(
        unit,
        Role.ATTENTION_OUTPUT,
        Role.ATTENTION_OUTPUT_BIAS,
        self + "o_proj",
        config.hiddenSize(),
        attention.outputWidth(),
        attention.outputBias());
    addAttentionPostNorm(unit, layer(layer));
  }

  @Override
  public final void mlp(UnitBuilder unit, int layer) {
    addFeedForwardNorms(unit, layer(layer));
    addMlp(unit, layer(layer) + "mlp.", (Mlp) config.layers().get(layer).feedForward());
  }

  @Override
  public void router(UnitBuilder unit, int layer) {
    MixtureOfExperts mixture = mixture(layer);
    String gate = layer(layer) + routerName();
    addFeedForwardNorms(unit, layer(layer));
    addLinear(
        unit,
        Role.ROUTER,
        Role.ROUTER_BIAS,
        gate,
        mixture.experts(),
        config.hiddenSize(),
        mixture.router().bias());
    if (mixture.router().correctionBias()) {
      unit.vector(Role.ROUTER_CORRECTION, gate + ".e_score_correction_bias", mixture.experts());
    }
    if (mixture.sharedGate()) {
      unit.matrix(
          Role.SHARED_GATE,
          Part.matrix(layer(layer) + "mlp.shared_expert_gate.weight", 1, config.hiddenSize()));
    }
  }

  @Override
  public final void sharedExpert(UnitBuilder unit, int layer) {
    Mlp expert = mixture(layer).expert();
    Mlp shared =
        new Mlp(mixture(layer).sharedWidth(), expert.activation(), expert.gated(), expert.bias());
    addMlp(unit, layer(layer) + "mlp." + sharedName + ".", shared);
  }

  @Override
  public void expert(UnitBuilder unit, int layer, int expert) {
    addMlp(unit, layer(layer) + "mlp.experts." + expert + ".", mixture(layer).expert());
  }

  @Override
  public final void head(UnitBuilder unit) {
    unit.vector(Role.FINAL_NORM, prefix + "norm.weight", config.hiddenSize());
  }

  @Override
  public final void output(UnitBuilder unit) {
    unit.matrix(
        Role.OUTPUT,
        config.head().tied()
            ? table()
            : Part.matrix("lm_head.weight", config.vocabularySize(), config.hiddenSize()));
  }

  /** Name of the router's matrix below the layer, without {@code .weight}. */
  String routerName() {
    return "mlp.gate";
  }

  /** What comes between the norm of the layer's input and the cache. */
  void addProjections(UnitBuilder unit, String self, Attention attention) {
    unit.matrix(Role.QKV, qkv(self, attention));
    if (attention.qkvBias()) {
      unit.vector(Role.QKV_BIAS, qkvBias(self, attention));
    }
    addQueryKeyNorms(unit, self, attention);
  }

  /** Queries, keys and values, top to bottom. */
  List<Part> qkv(String self, Attention attention) {
    int hidden = config.hiddenSize();
    int keys = attention.keyValueHeads() * attention.headDim();
    int values = attention.keyValueHeads() * attention.valueDim();
    return List.of(
        Part.matrix(self + "q_proj.weight", attention.heads() * attention.headDim(), hidden),
        Part.matrix(self + "k_proj.weight", keys, hidden),
        Part.matrix(self + "v_proj.weight", values, hidden));
  }

  /** The feed-forward norm; Gemma calls its second attention norm so. */
  void addFeedForwardNorms(UnitBuilder unit, String layer) {
    unit.vector(
        Role.FEED_FORWARD_NORM, layer + "post_attention_layernorm.weight", config.hiddenSize());
  }

  void addAttentionPostNorm(UnitBuilder unit, String layer) {}

  /** Gate rows above up rows, then down. */
  void addMlp(UnitBuilder unit, String name, Mlp mlp) {
    addGatedMlp(unit, name + "gate_proj", name + "up_proj", name + "down_proj", mlp);
  }

  final void addGatedMlp(UnitBuilder unit, String gate, String up, String down, Mlp mlp) {
    unit.matrix(
        Role.UP,
        Part.matrix(gate + ".weight", mlp.width(), config.hiddenSize()),
        Part.matrix(up + ".weight", mlp.width(), config.hiddenSize()));
    if (mlp.bias()) {
      unit.vector(
          Role.UP_BIAS,
          List.of(
              Part.vector(gate + ".bias", mlp.width()), Part.vector(up + ".bias", mlp.width())));
    }
    addLinear(unit, Role.DOWN, Role.DOWN_BIAS, down, config.hiddenSize(), mlp.width(), mlp.bias());
  }

  final MixtureOfExperts mixture(int layer) {
    return (MixtureOfExperts) config.layers().get(layer).feedForward();
  }

  final String layer(int layer) {
    return prefix + "layers." + layer + ".";
  }

  private Part table() {
    return Part.matrix(
        prefix + "embed_tokens.weight", config.vocabularySize(), config.hiddenSize());
  }

  private static List<Part> qkvBias(String self, Attention attention) {
    List<Part> parts = new ArrayList<>();
    parts.add(Part.vector(self + "q_proj.bias", attention.heads() * attention.headDim()));
    parts.add(Part.vector(self + "k_proj.bias", attention.keyValueHeads() * attention.headDim()));
    parts.add(Part.vector(self + "v_proj.bias", attention.keyValueHeads() * attention.valueDim()));
    return parts;
  }

  private static void addQueryKeyNorms(UnitBuilder unit, String self, Attention attention) {
    if (attention.queryKeyNorm() == QueryKeyNorm.NONE) {
      return;
    }
    boolean whole = attention.queryKeyNorm() == QueryKeyNorm.WHOLE;
    int width = attention.headDim();
    unit.vector(Role.QUERY_NORM, self + "q_norm.weight", whole ? attention.heads() * width : width);
    unit.vector(
        Role.KEY_NORM, self + "k_norm.weight", whole ? attention.keyValueHeads() * width : width);
  }

  private static void addLinear(
      UnitBuilder unit,
      Role matrix,
      Role biasRole,
      String name,
      int outputs,
      int inputs,
      boolean bias) {
    unit.matrix(matrix, Part.matrix(name + ".weight", outputs, inputs));
    if (bias) {
      unit.vector(biasRole, name + ".bias", outputs);
    }
  }
}
