package dev.offload.tensors.weights;

import dev.offload.tensors.ModelException;
import dev.offload.tensors.checkpoint.Checkpoint;
import dev.offload.tensors.model.ModelConfig;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Refuses checkpoints with more in a layer than the configuration announces, such as biases: the
 * model would run and answer wrongly. Tensors of other parts, such as an image tower, are left
 * alone.
 */
final class UnreadTensors {
  private static final Pattern LAYER = Pattern.compile("^((?:.*?\\.)?(?:layers|h)\\.)(\\d+)\\.");

  /** Buffers that old versions of transformers stored, and that are computed from the config. */
  private static final List<String> COMPUTED =
      List.of(".rotary_emb.inv_freq", ".rotary_emb.cos_cached", ".rotary_emb.sin_cached");

  /** Causal masks, which only these families stored. */
  private static final Set<String> WITH_MASKS = Set.of("gpt2", "gpt_neox");

  private static final List<String> MASKS =
      List.of(".attn.bias", ".attn.masked_bias", ".attention.bias", ".attention.masked_bias");

  /** Families whose checkpoints end in layers that are not part of the model itself. */
  private static final Set<String> WITH_PREDICTION_LAYERS = Set.of("glm4_moe", "deepseek_v3");

  private final ModelConfig config;
  private final Set<String> read = new HashSet<>();
  private final Set<String> modules = new HashSet<>();
  private final Set<String> layers = new HashSet<>();

  private UnreadTensors(ModelConfig config, List<WeightUnit> units) {
    this.config = config;
    for (WeightUnit unit : units) {
      for (Parameter parameter : unit.parameters()) {
        parameter.parts().forEach(part -> addRead(part.tensor()));
      }
    }
  }

  private void addRead(String tensor) {
    read.add(tensor);
    modules.add(module(tensor));
    Matcher layer = LAYER.matcher(tensor);
    if (layer.find()) {
      layers.add(layer.group(1));
    }
  }

  /**
   * Checks a checkpoint against the units that are read from it.
   *
   * @throws ModelException naming a tensor that belongs to the model and that nobody reads
   */
  static void refuse(ModelConfig config, Checkpoint checkpoint, List<WeightUnit> units) {
    UnreadTensors unread = new UnreadTensors(config, units);
    for (String name : checkpoint.names()) {
      if (unread.isMissed(name)) {
        throw new ModelException(
            "%s: tensor %s is part of the model, but config.json announces nothing of the kind for model_type %s; without it the answers would be wrong"
                .formatted(checkpoint.require(name).file(), name, config.family()));
      }
    }
  }

  private boolean isMissed(String name) {
    if (read.contains(name) || isComputed(name)) {
      return false;
    }
    Matcher layer = LAYER.matcher(name);
    if (layer.find() && layers.contains(layer.group(1))) {
      return !isPredictionLayer(layer.group(2));
    }
    boolean headBias = name.equals("lm_head.bias") || name.equals("embed_out.bias");
    return headBias || modules.contains(module(name));
  }

  private boolean isComputed(String name) {
    return COMPUTED.stream().anyMatch(name::endsWith)
        || (WITH_MASKS.contains(config.family()) && MASKS.stream().anyMatch(name::endsWith));
  }

  /** Layers behind the last one predict further tokens; the model answers without them. */
  private boolean isPredictionLayer(String number) {
    return WITH_PREDICTION_LAYERS.contains(config.family())
        && number.length() < 9
        && Integer.parseInt(number) >= config.layers().size();
  }

  /** The name without its last part. */
  private static String module(String tensor) {
    return tensor.substring(0, Math.max(0, tensor.lastIndexOf('.')));
  }
}
