package dev.offload.tensors.model;

import dev.offload.tensors.json.JsonFields;
import java.util.List;
import java.util.Optional;

/** Reads {@code quantization_config}. */
final class PackingReader {
  private static final String FIELD = "quantization_config";
  private static final String METHOD = "quant_method";
  private static final int MAX_BLOCK = 1 << 16;

  private PackingReader() {}

  /** How the checkpoint's matrices are packed; empty if they are not. */
  static Optional<Packing> read(JsonFields config) {
    return config
        .object(FIELD)
        .map(fields -> new Packing(format(fields), fields.texts("modules_to_not_convert")));
  }

  /** Why weights of a packed checkpoint are not read. */
  static String refusal(JsonFields config) {
    return config
        .object(FIELD)
        .orElseThrow()
        .refuse(
            METHOD,
            "is not supported; use the checkpoint with F32, F16 or BF16 weights (sizes of this one"
                + " are known to offload plan)")
        .getMessage();
  }

  private static Packing.Format format(JsonFields fields) {
    return switch (fields.text(METHOD).orElse("")) {
      case "fp8" -> fp8(fields);
      case "mxfp4" -> new Packing.Mxfp4();
      case "gptq" -> groups(fields, "gptq");
      case "awq" -> groups(fields, "awq");
      default ->
          throw fields.refuse(
              METHOD,
              "is not supported; use the checkpoint with F32, F16 or BF16 weights (of packed ones,"
                  + " sizes are known for fp8, mxfp4, gptq, awq)");
    };
  }

  private static Packing.Format fp8(JsonFields fields) {
    List<Integer> block = fields.integers("weight_block_size", 1, MAX_BLOCK);
    if (block.isEmpty()) {
      return new Packing.BlockFp8(0, 0);
    }
    if (block.size() != 2) {
      throw fields.refuse("weight_block_size", "must be two whole numbers");
    }
    return new Packing.BlockFp8(block.getFirst(), block.getLast());
  }

  private static Packing.Format groups(JsonFields fields, String method) {
    if (fields.flag("lm_head", false)) {
      throw fields.refuse("lm_head", "is not supported unless it is false");
    }
    int size = fields.integer("group_size", -1, MAX_BLOCK);
    return new Packing.Groups(
        method, fields.integer("bits", 1, 8), Math.max(size, 0), method.equals("gptq"));
  }
}
