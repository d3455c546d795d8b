package dev.offload.tensors.model;

import dev.offload.tensors.json.JsonFields;
import dev.offload.tensors.model.ModelConfig.Attention;
import dev.offload.tensors.model.ModelConfig.Embedding;
import dev.offload.tensors.model.ModelConfig.Head;
import dev.offload.tensors.model.ModelConfig.Layer;
import dev.offload.tensors.model.ModelConfig.Mlp;
import dev.offload.tensors.model.ModelConfig.Norm;
import dev.offload.tensors.model.ModelConfig.NormPlacement;
import dev.offload.tensors.model.ModelConfig.QueryKeyNorm;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;

/** GPT-NeoX and Pythia: parallel attention and feed-forward, a quarter of each head rotated. */
final class GptNeoxFamily implements Family {
  @Override
  public String modelType() {
    return "gpt_neox";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    int hidden = config.integer("hidden_size", 1, Limits.WIDTH);
    int context = config.integer("max_position_embeddings", 1, Limits.CONTEXT);
    Norm norm =
        new Norm(Norm.Kind.LAYER, (float) config.number("layer_norm_eps", 0, 1, 1e-5), false);
    Mlp mlp =
        new Mlp(
            config.integer("intermediate_size", 1, Limits.WIDTH),
            Activations.read(config, "hidden_act", "gelu"),
            false,
            true);
    Layer layer =
        new Layer(
            attention(config, hidden, context),
            mlp,
            NormPlacement.BEFORE,
            norm,
            config.flag("use_parallel_residual", true));
    return new ModelConfig(
        modelType(),
        hidden,
        config.integer("vocab_size", 1, Limits.WIDTH),
        ContextLength.of(context, layer.attention().rope()),
        StoredFormat.read(config),
        new Embedding(hidden, 1, 0, 0),
        Collections.nCopies(config.integer("num_hidden_layers", 1, Limits.LAYERS), layer),
        norm,
        new Head(config.flag("tie_word_embeddings", false), 0),
        List.of(),
        OptionalInt.empty());
  }

  private static Attention attention(JsonFields config, int hidden, int context) {
    int heads = config.integer("num_attention_heads", 1, Limits.HEADS);
    int headDim = Heads.width(config, "hidden_size", hidden, "num_attention_heads", heads);
    boolean bias = config.flag("attention_bias", true);
    double base = config.number("rotary_emb_base", 1e-6, 1e12, 10_000);
    double share = config.number("rotary_pct", 0, 1, 0.25);
    return new Attention(
        heads,
        heads,
        headDim,
        headDim,
        (float) (1 / Math.sqrt(headDim)),
        0,
        0,
        false,
        bias,
        bias,
        QueryKeyNorm.NONE,
        new RopeReader(config, headDim, context).read(base, share));
  }
}
