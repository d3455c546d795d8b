package dev.offload.jobs.rows;

import dev.offload.generation.TokenIds;
import java.util.List;

/** What a row asks the model to continue. */
public sealed interface Prompt {
  /** Text that the tokenizer turns into ids, with the special tokens it puts around a text. */
  record Text(String text) implements Prompt {}

  /** Ids as they are. */
  record Tokens(TokenIds ids) implements Prompt {}

  /** A conversation that the model's chat template turns into text. */
  record Chat(List<ChatMessage> messages) implements Prompt {
    public Chat {
      messages = List.copyOf(messages);
    }
  }
}
