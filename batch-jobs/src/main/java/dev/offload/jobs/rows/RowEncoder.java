package dev.offload.jobs.rows;

import dev.offload.generation.GenerationRequest;
import dev.offload.generation.SamplingParams;
import dev.offload.generation.TokenIds;

/** Turns rows into requests: tokenizes, and checks them against the model's limits. */
public final class RowEncoder {
  private final PromptEncoder model;

  public RowEncoder(PromptEncoder model) {
    this.model = model;
  }

  /**
   * The request of a row, with the row's number as index.
   *
   * @throws RowException if the prompt is empty, too long, or holds ids outside the vocabulary, or
   *     parameters contradict each other
   */
  public GenerationRequest encode(Row row) throws RowException {
    TokenIds prompt =
        switch (row.prompt()) {
          case Prompt.Text text -> model.encode(text.text());
          case Prompt.Tokens tokens -> tokens.ids();
          case Prompt.Chat chat -> model.encodeChat(chat);
        };
    checkLength(prompt);
    checkRoom(prompt.size(), row.sampling().maxTokens());
    checkVocabulary(prompt, row.sampling());
    try {
      return new GenerationRequest(row.key().row(), prompt, row.sampling(), row.constraint());
    } catch (IllegalArgumentException e) {
      throw new RowException(e.getMessage(), e);
    }
  }

  private void checkLength(TokenIds prompt) throws RowException {
    if (prompt.size() == 0) {
      throw new RowException("prompt is empty: it has no tokens");
    }
    if (prompt.size() >= model.contextLength()) {
      throw new RowException(
          "prompt has %d tokens, the model's context is %d and needs room for at least one more"
              .formatted(prompt.size(), model.contextLength()));
    }
  }

  private void checkRoom(int promptTokens, int maxTokens) throws RowException {
    long wanted = Math.min(model.contextLength(), (long) promptTokens + maxTokens);
    if (wanted > model.maxSequenceTokens()) {
      throw new RowException(
          "prompt and max_tokens are %d tokens together, there is memory for %d per row; lower"
                  .formatted(wanted, model.maxSequenceTokens())
              + " max_tokens, reserve more with --kv-tokens %d, or give more --device-memory"
                  .formatted(wanted));
    }
  }

  private void checkVocabulary(TokenIds prompt, SamplingParams sampling) throws RowException {
    for (int i = 0; i < prompt.size(); i++) {
      checkToken("prompt[" + i + "]", prompt.get(i));
    }
    for (int token : sampling.stopTokens()) {
      checkToken("stop_token_ids", token);
    }
    for (int token : sampling.logitBias().keySet()) {
      checkToken("logit_bias", token);
    }
  }

  private void checkToken(String what, int token) throws RowException {
    if (token < 0 || token >= model.vocabularySize()) {
      throw new RowException(
          "%s is %d, token ids of this model are from 0 to %d"
              .formatted(what, token, model.vocabularySize() - 1));
    }
  }
}
