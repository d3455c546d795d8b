package dev.offload.jobs.rows;

import dev.offload.generation.ChoiceRequest;
import dev.offload.generation.TokenIds;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Turns rows into requests to choose among labels: tokenizes, and checks against the model's
 * limits.
 *
 * <p>A label's tokens are what follows the prompt's when both are tokenized as one text, because
 * that is how the model has read such texts. Many tokenizers join the end of a prompt with what
 * follows: "Language: " ends in a token for the space, "Language: French" has the space in the
 * token for " French". Then the prompt is cut back to the tokens that all labels leave as they are,
 * and what was cut off is part of every label: a factor that all likelihoods share.
 */
public final class ChoiceEncoder {
  private final PromptEncoder model;
  private final Labels labels;

  public ChoiceEncoder(PromptEncoder model, Labels labels) {
    this.model = model;
    this.labels = labels;
  }

  /**
   * The request of a row, with the row's number as index and the labels in their order.
   *
   * @throws RowException if the prompt is empty or too long, or the tokenizer does not tell two
   *     labels apart
   */
  public ChoiceRequest encode(LabelRow row) throws RowException {
    List<int[]> texts = new ArrayList<>(labels.names().size());
    int shared = tokenize(row.prompt(), texts);
    if (shared == 0) {
      throw new RowException("prompt is empty: it has no tokens that all labels leave as they are");
    }
    List<TokenIds> choices = new ArrayList<>(texts.size());
    int longest = 0;
    for (int[] text : texts) {
      checkVocabulary(text);
      longest = Math.max(longest, text.length);
      choices.add(TokenIds.of(Arrays.copyOfRange(text, shared, text.length)));
    }
    checkRoom(shared, longest);
    checkDistinct(choices);
    TokenIds prompt = TokenIds.of(Arrays.copyOf(texts.getFirst(), shared));
    return new ChoiceRequest(row.key().row(), prompt, choices);
  }

  /** Adds prompt and label as one text for each label; returns how many tokens are the prompt's. */
  private int tokenize(Prompt prompt, List<int[]> texts) throws RowException {
    int[] alone =
        switch (prompt) {
          case Prompt.Text(String text) -> tokenize(text, false, texts);
          case Prompt.Chat chat -> tokenize(model.render(chat), true, texts);
          case Prompt.Tokens tokens ->
              throw new IllegalArgumentException("a template makes texts, not " + tokens);
        };
    int shared = alone.length;
    for (int[] text : texts) {
      int mismatch = Arrays.mismatch(alone, 0, shared, text, 0, Math.min(shared, text.length));
      shared = mismatch < 0 ? shared : mismatch;
    }
    return shared;
  }

  private int[] tokenize(String prompt, boolean rendered, List<int[]> texts) {
    for (String label : labels.names()) {
      texts.add(ids(prompt + label + labels.suffix(), rendered));
    }
    return ids(prompt, rendered);
  }

  private int[] ids(String text, boolean rendered) {
    return (rendered ? model.encodeRendered(text) : model.encode(text)).toArray();
  }

  private void checkVocabulary(int[] text) throws RowException {
    for (int token : text) {
      if (token < 0 || token >= model.vocabularySize()) {
        throw new RowException(
            "the tokenizer gives token id %d, those of this model are from 0 to %d"
                .formatted(token, model.vocabularySize() - 1));
      }
    }
  }

  private void checkRoom(int promptTokens, int tokens) throws RowException {
    if (tokens > model.contextLength()) {
      throw new RowException(
          "prompt and label are %d tokens together (%d of them the prompt), the model's context is"
                  .formatted(tokens, promptTokens)
              + " %d".formatted(model.contextLength()));
    }
    if (tokens > model.maxSequenceTokens()) {
      throw new RowException(
          "prompt and label are %d tokens together, there is memory for %d per row; reserve more"
                  .formatted(tokens, model.maxSequenceTokens())
              + " with --kv-tokens %d, or give more --device-memory".formatted(tokens));
    }
  }

  private void checkDistinct(List<TokenIds> choices) throws RowException {
    Map<TokenIds, String> seen = new HashMap<>();
    for (int i = 0; i < choices.size(); i++) {
      String label = labels.names().get(i);
      if (choices.get(i).size() == 0) {
        throw new RowException("label " + label + " has no tokens after this prompt");
      }
      String other = seen.putIfAbsent(choices.get(i), label);
      if (other != null) {
        throw new RowException(
            "labels %s and %s are the same tokens to this tokenizer".formatted(other, label));
      }
    }
  }
}
