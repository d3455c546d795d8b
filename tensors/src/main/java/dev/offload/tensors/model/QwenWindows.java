package dev.offload.tensors.model;

import dev.offload.tensors.json.JsonFields;

/** Sliding windows as all Qwen models write them. */
final class QwenWindows {
  private QwenWindows() {}

  /** Layers from {@code max_window_layers} on slide, if {@code use_sliding_window}. */
  static void addTo(LlamaLike model, JsonFields config) {
    int first = config.integer("max_window_layers", 0, Integer.MAX_VALUE, 28);
    if (!config.flag("use_sliding_window", false)) {
      config.has("sliding_window");
      config.has("layer_types");
      return;
    }
    model.windows(LayerWindows.sliding(config, model.layers(), layer -> layer >= first));
  }
}
