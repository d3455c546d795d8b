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

/** GPT-2: learned positions, LayerNorm, matrices stored the other way round. */
final class Gpt2Family implements Family {
  @Override
  public String modelType() {
    return "gpt2";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    refuseUnless(config, "add_cross_attention", false);
    refuseUnless(config, "scale_attn_by_inverse_layer_idx", false);
    refuseUnless(config, "scale_attn_weights", true);
    int hidden = config.integer("n_embd", 1, Limits.WIDTH);
    int context = config.integer("n_positions", 1, Limits.WIDTH);
    Norm norm =
        new Norm(Norm.Kind.LAYER, (float) config.number("layer_norm_epsilon", 0, 1, 1e-5), false);
    Mlp mlp =
        new Mlp(
            config.integer("n_inner", 1, Limits.WIDTH, 4 * hidden),
            Activations.read(config, "activation_function", "gelu_new"),
            false,
            true);
    Layer layer = new Layer(attention(config, hidden), mlp, NormPlacement.BEFORE, norm, false);
    return new ModelConfig(
        modelType(),
        hidden,
        config.integer("vocab_size", 1, Limits.WIDTH),
        context,
        StoredFormat.read(config),
        new Embedding(hidden, 1, context, 0),
        Collections.nCopies(config.integer("n_layer", 1, Limits.LAYERS), layer),
        norm,
        new Head(config.flag("tie_word_embeddings", true), 0),
        List.of(),
        OptionalInt.empty());
  }

  private static Attention attention(JsonFields config, int hidden) {
    int heads = config.integer("n_head", 1, Limits.HEADS);
    int headDim = Heads.width(config, "n_embd", hidden, "n_head", heads);
    return new Attention(
        heads,
        heads,
        headDim,
        headDim,
        (float) (1 / Math.sqrt(headDim)),
        0,
        0,
        false,
        true,
        true,
        QueryKeyNorm.NONE,
        Rope.NONE);
  }

  private static void refuseUnless(JsonFields config, String name, boolean supported) {
    if (config.flag(name, supported) != supported) {
      throw config.refuse(name, "is not supported unless it is " + supported);
    }
  }
}
