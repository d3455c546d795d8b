package dev.offload.tensors.model;

import dev.offload.tensors.json.JsonFields;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** Begin and end tokens: generation_config.json has the say, then config.json. */
final class Tokens {
  private Tokens() {}

  static ModelConfig addTo(ModelConfig model, JsonFields config, List<JsonFields> generation) {
    List<JsonFields> sources = new ArrayList<>(generation);
    sources.add(config);
    List<Integer> begin = first(sources, "bos_token_id", model.vocabularySize());
    return model.withTokens(
        first(sources, "eos_token_id", model.vocabularySize()),
        begin.isEmpty() ? OptionalInt.empty() : OptionalInt.of(begin.getFirst()));
  }

  private static List<Integer> first(List<JsonFields> sources, String name, int vocabularySize) {
    for (JsonFields source : sources) {
      List<Integer> ids = source.integers(name, 0, vocabularySize - 1);
      if (!ids.isEmpty()) {
        return ids.stream().distinct().toList();
      }
    }
    return List.of();
  }
}
