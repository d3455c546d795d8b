package dev.offload.jobs.rows;

import dev.offload.generation.TokenIds;
import java.util.List;
import java.util.Map;

/** What a row asks the model to continue. */
public sealed interface Prompt {
  /** Text that the tokenizer turns into ids, with the special tokens it puts around a text. */
  record Text(String text) implements Prompt {}

  /** Ids as they are. */
  record Tokens(TokenIds ids) implements Prompt {}

  /**
   * A conversation that the model's chat template turns into text.
   *
   * @param tools functions it may call, as OpenAI's API describes them, as plain data
   */
  record Chat(List<ChatMessage> messages, List<Map<String, Object>> tools) implements Prompt {
    public Chat {
      messages = List.copyOf(messages);
      tools = List.copyOf(tools);
    }

    /** A conversation without tools. */
    public Chat(List<ChatMessage> messages) {
      this(messages, List.of());
    }
  }
}
