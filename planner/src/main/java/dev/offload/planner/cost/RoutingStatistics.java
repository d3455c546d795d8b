package dev.offload.planner.cost;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.offload.tensors.ModelException;
import dev.offload.tensors.json.JsonFields;
import dev.offload.tensors.json.StrictJson;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import dev.offload.tensors.weights.UnitId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How often the experts of a mixture were chosen, as a file keeps it: JSON.
 *
 * @param layers those with experts, in order; at least one
 */
public record RoutingStatistics(List<Layer> layers) {
  private static final String FORMAT = "offload-routing-1";
  private static final long MAX_BYTES = 256L << 20;
  private static final long MOST_TOKENS = 1L << 40;
  private static final int MOST = 1 << 20;

  /**
   * A layer.
   *
   * @param layer its number in the model
   * @param expertsPerToken how many experts each token chose
   * @param tokensPerExpert how many tokens chose each expert
   */
  public record Layer(int layer, int expertsPerToken, List<Long> tokensPerExpert) {
    public Layer {
      tokensPerExpert = List.copyOf(tokensPerExpert);
      long pairs = tokensPerExpert.stream().mapToLong(Long::longValue).sum();
      long tokens = expertsPerToken < 1 ? 0 : pairs / expertsPerToken;
      if (tokens < 1 || pairs % expertsPerToken != 0) {
        throw new IllegalArgumentException(
            "layer %d: tokens_per_expert adds up to %d, must be at least once and a multiple of experts_per_token, which is %d"
                .formatted(layer, pairs, expertsPerToken));
      }
      for (long each : tokensPerExpert) {
        if (each < 0 || each > tokens) {
          throw new IllegalArgumentException(
              "layer %d: tokens_per_expert has %d, must be between 0 and %d, the number of tokens"
                  .formatted(layer, each, tokens));
        }
      }
    }

    /** Tokens that chose. */
    public long tokens() {
      return tokensPerExpert.stream().mapToLong(Long::longValue).sum() / expertsPerToken;
    }

    private double share(int expert) {
      return (double) tokensPerExpert.get(expert) / tokens();
    }
  }

  public RoutingStatistics {
    layers = List.copyOf(layers);
    if (layers.isEmpty()) {
      throw new IllegalArgumentException("layers is empty, there must be one at least");
    }
  }

  /** How likely a token is to choose each of some experts. */
  public ExpertShares shares(List<UnitId> experts) {
    Map<Integer, Layer> byNumber = new HashMap<>();
    layers.forEach(each -> byNumber.put(each.layer(), each));
    return ExpertShares.of(
        experts.stream().map(each -> byNumber.get(each.layer()).share(each.number())).toList());
  }

  /** Different experts that so many tokens choose, as a share of all experts. */
  public double usedShare(double tokens) {
    List<Double> shares = new ArrayList<>();
    for (Layer each : layers) {
      for (int expert = 0; expert < each.tokensPerExpert().size(); expert++) {
        shares.add(each.share(expert));
      }
    }
    return new ExpertRows(tokens, ExpertShares.of(shares)).used(1);
  }

  /**
   * Refuses to be used for another model.
   *
   * @param file where it came from
   * @throws ModelException if layers or experts differ; names field and values
   */
  public void requireMatches(Path file, ModelConfig model) {
    Map<Integer, Layer> byNumber = new LinkedHashMap<>();
    for (int i = 0; i < layers.size(); i++) {
      if (byNumber.put(layers.get(i).layer(), layers.get(i)) != null) {
        throw differs(
            file, "layers[%d].layer".formatted(i), layers.get(i).layer(), "no second one");
      }
    }
    for (int number = 0; number < model.layers().size(); number++) {
      if (model.layers().get(number).feedForward() instanceof MixtureOfExperts mixture) {
        Layer layer = byNumber.remove(number);
        if (layer == null) {
          throw differs(file, "layers", "without layer " + number, "that layer with experts too");
        }
        String name = "layers[%d].".formatted(layers.indexOf(layer));
        if (layer.tokensPerExpert().size() != mixture.experts()) {
          throw differs(
              file,
              name + "experts",
              layer.tokensPerExpert().size(),
              mixture.experts() + " of them");
        }
        if (layer.expertsPerToken() != mixture.expertsPerToken()) {
          throw differs(
              file,
              name + "experts_per_token",
              layer.expertsPerToken(),
              mixture.expertsPerToken() + " of them");
        }
      }
    }
    if (!byNumber.isEmpty()) {
      throw differs(
          file, "layers", "with layer " + byNumber.keySet().iterator().next(), "no experts there");
    }
  }

  private static ModelException differs(Path file, String field, Object value, String has) {
    return new ModelException(
        "%s: %s is %s, but the model has %s; save statistics of this model with --save-routing"
            .formatted(file, field, value, has));
  }

  /** Writes the file; replaces it if it exists. */
  public void write(Path file) throws IOException {
    Files.writeString(file, toJson() + "\n");
  }

  private String toJson() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("format", FORMAT);
    json.put("layers", layers.stream().map(RoutingStatistics::toJson).toList());
    try {
      return new ObjectMapper().writeValueAsString(json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("numbers and texts cannot fail to be written", e);
    }
  }

  private static Map<String, Object> toJson(Layer layer) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("layer", layer.layer());
    json.put("experts", layer.tokensPerExpert().size());
    json.put("experts_per_token", layer.expertsPerToken());
    json.put("tokens", layer.tokens());
    json.put("tokens_per_expert", layer.tokensPerExpert());
    return json;
  }

  /**
   * Reads a file.
   *
   * @throws ModelException if it holds no statistics; names file, field and value
   */
  public static RoutingStatistics read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new ModelException(file + ": is missing; write one with --save-routing");
    }
    JsonFields json = StrictJson.readObject(file, MAX_BYTES);
    if (!json.requiredText("format").equals(FORMAT)) {
      throw json.refuse("format", "must be \"" + FORMAT + "\", as --save-routing writes it");
    }
    try {
      return new RoutingStatistics(
          json.requiredObjects("layers").stream().map(RoutingStatistics::layer).toList());
    } catch (IllegalArgumentException e) {
      throw new ModelException(file + ": " + e.getMessage(), e);
    }
  }

  private static Layer layer(JsonFields json) {
    List<Long> counts = new ArrayList<>();
    for (double each : json.numbers("tokens_per_expert", 0, MOST_TOKENS)) {
      if (each != Math.rint(each)) {
        throw json.refuse("tokens_per_expert", "must have whole numbers");
      }
      counts.add((long) each);
    }
    if (counts.size() != json.integer("experts", 1, MOST)) {
      throw json.refuse(
          "experts", "must be the length of tokens_per_expert, which is " + counts.size());
    }
    Layer layer =
        new Layer(
            json.integer("layer", 0, MOST), json.integer("experts_per_token", 1, MOST), counts);
    if (layer.tokens() != json.longInteger("tokens", 1, MOST_TOKENS)) {
      throw json.refuse(
          "tokens",
          "must be the sum of tokens_per_expert over experts_per_token, which is "
              + layer.tokens());
    }
    return layer;
  }
}
