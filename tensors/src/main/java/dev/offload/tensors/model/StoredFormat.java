package dev.offload.tensors.model;

import dev.offload.tensors.DType;
import dev.offload.tensors.json.JsonFields;

/**
 * The number format a configuration names: {@code torch_dtype}, or {@code dtype} since version 5.
 */
final class StoredFormat {
  private StoredFormat() {}

  static DType read(JsonFields config) {
    String field = config.has("dtype") ? "dtype" : "torch_dtype";
    return switch (config.text(field).orElse("float32")) {
      case "float32", "torch.float32" -> DType.F32;
      case "float16", "torch.float16" -> DType.F16;
      case "bfloat16", "torch.bfloat16" -> DType.BF16;
      default ->
          throw config.refuse(field, "is not supported; supported are float32, float16, bfloat16");
    };
  }
}
