package dev.offload.sampling;

import dev.offload.generation.GenerationRequest;
import dev.offload.generation.SamplingParams;

/** What can be said against a request only when the model is known. */
final class RequestChecks {
  private RequestChecks() {}

  static void check(OutputRules rules, GenerationRequest request) {
    SamplingParams sampling = request.sampling();
    request.prompt().stream().forEach(id -> checkToken("prompt", id, rules));
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

  private static void checkToken(String field, int id, OutputRules rules) {
    if (id < 0 || id >= rules.vocabularySize()) {
      throw new IllegalArgumentException(
          "%s names token %d, the vocabulary has ids from 0 to %d"
              .formatted(field, id, rules.vocabularySize() - 1));
    }
  }
}
