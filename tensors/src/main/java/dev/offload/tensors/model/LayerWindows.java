package dev.offload.tensors.model;

import dev.offload.tensors.json.JsonFields;
import java.util.List;
import java.util.function.IntPredicate;

/** Which layers see only a window of the sequence. */
final class LayerWindows {
  private LayerWindows() {}

  /**
   * Reads {@code layer_types}; without it {@code otherwise} says which layers slide.
   *
   * @return true for each sliding layer
   */
  static boolean[] sliding(JsonFields config, int layers, IntPredicate otherwise) {
    List<String> types = config.texts("layer_types");
    if (!types.isEmpty() && types.size() != layers) {
      throw config.refuse("layer_types", "must have one entry per layer, " + layers);
    }
    boolean[] sliding = new boolean[layers];
    for (int layer = 0; layer < layers; layer++) {
      sliding[layer] =
          types.isEmpty() ? otherwise.test(layer) : isSliding(config, types.get(layer));
    }
    return sliding;
  }

  private static boolean isSliding(JsonFields config, String type) {
    return switch (type) {
      case "sliding_attention" -> true;
      case "full_attention" -> false;
      default ->
          throw config.refuse(
              "layer_types",
              "holds '" + type + "'; supported are full_attention and sliding_attention");
    };
  }
}
