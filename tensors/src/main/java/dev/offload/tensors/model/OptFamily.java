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

/** OPT: learned positions, LayerNorm before the parts or (350m) after them, biases everywhere. */
final class OptFamily implements Family {
  /** Rows of the position table before position 0. */
  private static final int POSITION_OFFSET = 2;

  private static final float EPSILON = 1e-5f;

  @Override
  public String modelType() {
    return "opt";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    if (!config.flag("layer_norm_elementwise_affine", true)) {
      throw config.refuse("layer_norm_elementwise_affine", "is not supported unless it is true");
    }
    int hidden = config.integer("hidden_size", 1, Limits.WIDTH);
    int context = config.integer("max_position_embeddings", 1, Limits.WIDTH);
    boolean normBefore = config.flag("do_layer_norm_before", true);
    boolean finalNorm = normBefore && !config.flag("_remove_final_layer_norm", false);
    Norm norm = new Norm(Norm.Kind.LAYER, EPSILON, false);
    Mlp mlp =
        new Mlp(
            config.integer("ffn_dim", 1, Limits.WIDTH),
            Activations.read(config, "activation_function", "relu"),
            false,
            config.flag("enable_bias", true));
    Layer layer =
        new Layer(
            attention(config, hidden),
            mlp,
            normBefore ? NormPlacement.BEFORE : NormPlacement.AFTER,
            norm,
            false);
    return new ModelConfig(
        modelType(),
        hidden,
        config.integer("vocab_size", 1, Limits.WIDTH),
        context,
        StoredFormat.read(config),
        new Embedding(
            config.integer("word_embed_proj_dim", 1, Limits.WIDTH, hidden),
            1,
            context + POSITION_OFFSET,
            POSITION_OFFSET),
        Collections.nCopies(config.integer("num_hidden_layers", 1, Limits.LAYERS), layer),
        finalNorm ? norm : Norm.NONE,
        new Head(config.flag("tie_word_embeddings", true), 0),
        List.of(),
        OptionalInt.empty());
  }

  private static Attention attention(JsonFields config, int hidden) {
    int heads = config.integer("num_attention_heads", 1, Limits.HEADS);
    int headDim = Heads.width(config, "hidden_size", hidden, "num_attention_heads", heads);
    boolean bias = config.flag("enable_bias", true);
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
        Rope.NONE);
  }
}
