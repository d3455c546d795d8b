package dev.offload.tensors.weights;

import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.ModelConfig.Attention;
import dev.offload.tensors.model.ModelConfig.Latent;
import java.util.ArrayList;
import java.util.List;

/** DeepSeek: Llama with latent attention and shared experts. */
final class LatentLayout extends LlamaLayout {
  LatentLayout(ModelConfig config, String prefix) {
    super(config, prefix, "shared_experts");
  }

  @Override
  void addProjections(UnitBuilder unit, String self, Attention attention) {
    Latent latent = attention.latent().orElseThrow();
    int hidden = config.hiddenSize();
    int queries = attention.heads() * latent.headDim();
    List<Part> down = new ArrayList<>();
    if (latent.queryRank() == 0) {
      down.addAll(rotatedFirst(Part.matrix(self + "q_proj.weight", queries, hidden), attention));
    } else {
      down.add(Part.matrix(self + "q_a_proj.weight", latent.queryRank(), hidden));
      unit.vector(Role.QUERY_LATENT_NORM, self + "q_a_layernorm.weight", latent.queryRank());
      unit.matrix(
          Role.QUERY_UP,
          rotatedFirst(
              Part.matrix(self + "q_b_proj.weight", queries, latent.queryRank()), attention));
    }
    down.add(
        Part.matrix(
            self + "kv_a_proj_with_mqa.weight", latent.rank() + latent.rotatedDim(), hidden));
    unit.matrix(Role.QKV, down);
    unit.vector(Role.KEY_VALUE_LATENT_NORM, self + "kv_a_layernorm.weight", latent.rank());
    addUp(unit, self + "kv_b_proj.weight", attention.heads(), latent);
  }

  /** Heads whose rotated rows come after the others, with the rotated ones first. */
  private static List<Part> rotatedFirst(Part queries, Attention attention) {
    Latent latent = attention.latent().orElseThrow();
    List<Part> parts = new ArrayList<>();
    for (int head = 0; head < attention.heads(); head++) {
      int first = head * latent.headDim();
      parts.add(queries.range(first + latent.plainDim(), latent.rotatedDim()));
      parts.add(queries.range(first, latent.plainDim()));
    }
    return parts;
  }

  /** Rows that make keys, and rows that make values, take turns head by head. */
  private static void addUp(UnitBuilder unit, String tensor, int heads, Latent latent) {
    int both = latent.plainDim() + latent.valueDim();
    Part values = Part.matrix(tensor, heads * both, latent.rank());
    Part keys = Part.transposed(tensor, latent.rank(), heads * both);
    List<Part> keysUp = new ArrayList<>();
    List<Part> valuesUp = new ArrayList<>();
    for (int head = 0; head < heads; head++) {
      keysUp.add(keys.columns(head * both, latent.plainDim()));
      valuesUp.add(values.range(head * both + latent.plainDim(), latent.valueDim()));
    }
    unit.matrices(Role.KEY_UP, keysUp);
    unit.matrices(Role.VALUE_UP, valuesUp);
  }
}
