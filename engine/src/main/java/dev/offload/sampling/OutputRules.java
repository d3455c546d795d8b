package dev.offload.sampling;

import dev.offload.generation.TokenIds;
import dev.offload.text.Tokenizer;
import java.util.Optional;

/**
 * What all outputs of a job have in common. Immutable.
 *
 * @param tokenizer turns tokens into text; without one all texts are empty and stop texts are
 *     refused
 * @param endTokens the model's end tokens
 * @param vocabularySize number of logits in a row, at least 1
 * @param contextLength most tokens of prompt and output together, at least 1
 * @param seed seed of the rows that bring none of their own
 * @param constraints what rows demand of their text, in terms of tokens
 */
public record OutputRules(
    Optional<Tokenizer> tokenizer,
    TokenIds endTokens,
    int vocabularySize,
    int contextLength,
    long seed,
    TokenConstraints constraints) {

  public OutputRules(
      Optional<Tokenizer> tokenizer,
      TokenIds endTokens,
      int vocabularySize,
      int contextLength,
      long seed) {
    this(
        tokenizer,
        endTokens,
        vocabularySize,
        contextLength,
        seed,
        new TokenConstraints(tokenizer, vocabularySize));
  }

  public OutputRules {
    atLeastOne("vocabulary size", vocabularySize);
    atLeastOne("context length", contextLength);
  }

  private static void atLeastOne(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(name + " is " + value + ", must be at least 1");
    }
  }
}
