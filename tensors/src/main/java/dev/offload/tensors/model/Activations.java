package dev.offload.tensors.model;

import dev.offload.tensors.json.JsonFields;
import dev.offload.tensors.model.ModelConfig.Activation;

/** Names of activations as configurations write them. */
final class Activations {
  private Activations() {}

  static Activation read(JsonFields config, String field, String absent) {
    return switch (config.text(field).orElse(absent)) {
      case "silu", "swish" -> Activation.SILU;
      case "gelu" -> Activation.GELU;
      case "gelu_new", "gelu_pytorch_tanh", "gelu_fast" -> Activation.GELU_TANH;
      case "relu" -> Activation.RELU;
      default ->
          throw config.refuse(
              field,
              "is not supported; supported are silu, swish, gelu, gelu_new, gelu_fast,"
                  + " gelu_pytorch_tanh and relu");
    };
  }
}
