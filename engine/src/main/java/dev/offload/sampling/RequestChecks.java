package dev.offload.sampling;

import dev.offload.generation.ChoiceRequest;
import dev.offload.generation.GenerationRequest;
import dev.offload.generation.SamplingParams;
import dev.offload.generation.TokenIds;

/** What can be said against a request only when the model is known. */
final class RequestChecks {
  private RequestChecks() {}

  static void check(OutputRules rules, GenerationRequest request) {
    SamplingParams sampling = request.sampling();
    checkTokens("prompt", request.prompt(), rules);
    sampling.logitBias().keySet().forEach(id -> checkToken("logit_bias", id, rules));
    sampling.stopTokens().forEach(id -> checkToken("stop_token_ids", id, rules));
    if (request.prompt().size() >= rules.contextLength()) {
      throw new IllegalArgumentException(
          "prompt has %d tokens, which leaves no room in the context of %d"
              .formatted(request.prompt().size(), rules.contextLength()));
    }
    if (!sampling.stop().isEmpty() && rules.tokenizer().isEmpty()) {
      throw new IllegalArgumentException("stop needs a tokenizer, and there is none");
    }
  }

  static void check(OutputRules rules, ChoiceRequest request) {
    checkTokens("prompt", request.prompt(), rules);
    int longest = 0;
    for (int i = 0; i < request.choices().size(); i++) {
      checkTokens("choice " + i, request.choices().get(i), rules);
      longest = Math.max(longest, request.choices().get(i).size());
    }
    if ((long) request.prompt().size() + longest > rules.contextLength()) {
      throw new IllegalArgumentException(
          "prompt has %d tokens and the longest choice %d, which does not fit the context of %d"
              .formatted(request.prompt().size(), longest, rules.contextLength()));
    }
  }

  private static void checkTokens(String field, TokenIds ids, OutputRules rules) {
    ids.stream().forEach(id -> checkToken(field, id, rules));
  }

  private static void checkToken(String field, int id, OutputRules rules) {
    if (id < 0 || id >= rules.vocabularySize()) {
      throw new IllegalArgumentException(
          "%s names token %d, the vocabulary has ids from 0 to %d"
              .formatted(field, id, rules.vocabularySize() - 1));
    }
  }
}
