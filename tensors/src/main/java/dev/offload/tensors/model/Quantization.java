package dev.offload.tensors.model;

import dev.offload.tensors.json.JsonFields;

/** Checkpoints with packed weights. */
final class Quantization {
  private Quantization() {}

  /** Refuses every packed format by name. */
  static void refuse(JsonFields config) {
    if (!config.has("quantization_config")) {
      return;
    }
    JsonFields quantization = config.object("quantization_config").orElseThrow();
    throw quantization.refuse(
        "quant_method", "is not supported; use the checkpoint with F32, F16 or BF16 weights");
  }
}
