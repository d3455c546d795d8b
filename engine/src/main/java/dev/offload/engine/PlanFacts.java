package dev.offload.engine;

import dev.offload.backends.api.DataLayout;
import dev.offload.planner.UnitSize;
import dev.offload.tensors.DType;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.ModelConfig.Attention;
import java.util.Map;
import java.util.TreeMap;

/** What a saved plan depends on: facts about a model, and about how a device lays it out. */
public final class PlanFacts {
  private PlanFacts() {}

  /**
   * The facts, by name.
   *
   * @throws IllegalArgumentException if the device cannot compute in that format
   */
  public static Map<String, String> of(EngineModel model, DataLayout layout, DType computeDType) {
    ModelConfig config = model.config();
    EnginePlanner sizes = new EnginePlanner(model, layout, computeDType);
    Attention attention = config.layers().getFirst().attention();
    Map<String, String> facts = new TreeMap<>();
    facts.put("model.family", config.family());
    facts.put("model.hidden_size", Integer.toString(config.hiddenSize()));
    facts.put("model.layers", Integer.toString(config.layers().size()));
    facts.put("model.vocabulary_size", Integer.toString(config.vocabularySize()));
    facts.put("model.attention_heads", Integer.toString(attention.heads()));
    facts.put("model.kv_heads", Integer.toString(attention.keyValueHeads()));
    facts.put("model.weight_units", Integer.toString(model.units().size()));
    facts.put(
        "model.weight_bytes",
        Long.toString(sizes.units().stream().mapToLong(UnitSize::rowMajorBytes).sum()));
    facts.put(
        "machine.weight_bytes",
        Long.toString(sizes.units().stream().mapToLong(UnitSize::imageBytes).sum()));
    facts.put("machine.kv_block_tokens", Integer.toString(layout.kvBlockTokens()));
    facts.put("machine.kv_block_bytes", Long.toString(sizes.kvBlockBytes()));
    return facts;
  }
}
