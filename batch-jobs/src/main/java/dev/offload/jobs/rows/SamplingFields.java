package dev.offload.jobs.rows;

import com.fasterxml.jackson.databind.JsonNode;
import dev.offload.generation.SamplingParams;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads sampling parameters under the names of OpenAI's API, and vLLM's where OpenAI has none. */
final class SamplingFields {
  private static final int MAX_STOPS = 64;
  private static final double MAX_BIAS = 100;

  private final Fields fields;
  private final RowDefaults defaults;
  private final double temperature;

  SamplingFields(Fields fields, RowDefaults defaults, double temperature) {
    this.fields = fields;
    this.defaults = defaults;
    this.temperature = temperature;
  }

  /**
   * The row's parameters.
   *
   * @throws RowException naming the field that is wrong
   */
  SamplingParams read() throws RowException {
    try {
      return new SamplingParams(
          fields.number("temperature", temperature),
          fields.number("top_p", 1),
          Math.max(0, atLeast("top_k", fields.integer("top_k", 0), -1)),
          fields.number("min_p", 0),
          fields.number("repetition_penalty", 1),
          fields.number("presence_penalty", 0),
          fields.number("frequency_penalty", 0),
          logitBias(),
          fields.longInteger("seed"),
          maxTokens(),
          fields.integer("min_tokens", 0),
          fields.flag("ignore_eos", false),
          stops(),
          stopTokens(),
          fields.integer("n", 1),
          logprobs());
    } catch (IllegalArgumentException e) {
      throw new RowException(e.getMessage(), e);
    }
  }

  private int maxTokens() throws RowException {
    int most = fields.integer("max_tokens", -1);
    int mostCompletion = fields.integer("max_completion_tokens", -1);
    boolean both = fields.has("max_tokens") && fields.has("max_completion_tokens");
    if (both && most != mostCompletion) {
      throw fields.wrong(
          "max_tokens", "is " + most + " but max_completion_tokens is " + mostCompletion);
    }
    if (fields.has("max_tokens")) {
      return most;
    }
    return fields.has("max_completion_tokens") ? mostCompletion : defaults.maxTokens();
  }

  private Map<Integer, Double> logitBias() throws RowException {
    Optional<JsonNode> given = fields.find("logit_bias");
    if (given.isEmpty()) {
      return Map.of();
    }
    if (!given.get().isObject()) {
      throw Fields.wrong(
          fields.path("logit_bias"), given.get(), "an object from token ids to numbers");
    }
    Map<Integer, Double> bias = new HashMap<>();
    for (Map.Entry<String, JsonNode> entry : given.get().properties()) {
      if (!entry.getKey().matches("\\d{1,9}")) {
        throw fields.wrong("logit_bias", "has the key '" + entry.getKey() + "', must be token ids");
      }
      JsonNode value = entry.getValue();
      if (!value.isNumber() || !(Math.abs(value.doubleValue()) <= MAX_BIAS)) {
        throw Fields.wrong(
            fields.path("logit_bias." + entry.getKey()), value, "a number from -100 to 100");
      }
      bias.put(Integer.valueOf(entry.getKey()), value.doubleValue());
    }
    return bias;
  }

  private List<String> stops() throws RowException {
    Optional<JsonNode> given = fields.find("stop");
    if (given.isEmpty()) {
      return List.of();
    }
    if (!given.get().isArray()) {
      return List.of(Fields.text(fields.path("stop"), given.get()));
    }
    List<String> stops = new ArrayList<>();
    for (JsonNode each : limited("stop", given.get())) {
      stops.add(Fields.text(fields.path("stop[" + stops.size() + "]"), each));
    }
    return stops;
  }

  private List<Integer> stopTokens() throws RowException {
    Optional<JsonNode> given = fields.find("stop_token_ids");
    if (given.isEmpty()) {
      return List.of();
    }
    if (!given.get().isArray()) {
      throw Fields.wrong(fields.path("stop_token_ids"), given.get(), "an array of token ids");
    }
    List<Integer> ids = new ArrayList<>();
    for (JsonNode each : limited("stop_token_ids", given.get())) {
      ids.add(Fields.integer(fields.path("stop_token_ids[" + ids.size() + "]"), each));
    }
    return ids;
  }

  private JsonNode limited(String name, JsonNode array) throws RowException {
    if (array.size() > MAX_STOPS) {
      throw fields.wrong(name, "has " + array.size() + " entries, at most " + MAX_STOPS);
    }
    return array;
  }

  /** A count (text completions), or a flag with the count in top_logprobs (chat); −1 for none. */
  private int logprobs() throws RowException {
    Optional<JsonNode> given = fields.find("logprobs");
    boolean topGiven = fields.has("top_logprobs");
    int top = fields.integer("top_logprobs", 0);
    if (given.isPresent() && given.get().isIntegralNumber()) {
      if (topGiven) {
        throw fields.wrong("top_logprobs", "needs logprobs to be true, not a number");
      }
      return atLeast("logprobs", fields.integer("logprobs", 0), 0);
    }
    boolean asked = fields.flag("logprobs", false);
    if (topGiven && !asked) {
      throw fields.wrong("top_logprobs", "needs logprobs to be true");
    }
    return asked ? atLeast("top_logprobs", top, 0) : -1;
  }

  private int atLeast(String name, int value, int least) throws RowException {
    if (value < least) {
      throw fields.wrong(name, "is " + value + ", must be at least " + least);
    }
    return value;
  }
}
