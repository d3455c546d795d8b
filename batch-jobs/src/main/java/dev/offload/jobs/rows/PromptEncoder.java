package dev.offload.jobs.rows;

import dev.offload.generation.TokenIds;

/** The model's side of reading rows: its tokenizer, chat template and limits. */
public interface PromptEncoder {
  /** Ids of a text, with the special tokens that the tokenizer puts around it. */
  TokenIds encode(String text);

  /**
   * A conversation as the model's chat template writes it, ready for the assistant's turn.
   *
   * @throws RowException if the model has no chat template, or the template knows no tools although
   *     there are some, or it refuses the conversation
   */
  String render(Prompt.Chat chat) throws RowException;

  /** Ids of a text that holds the special tokens it needs already. */
  TokenIds encodeRendered(String text);

  /**
   * Ids of a conversation, ready for the assistant's turn.
   *
   * @throws RowException as {@link #render}
   */
  default TokenIds encodeChat(Prompt.Chat chat) throws RowException {
    return encodeRendered(render(chat));
  }

  /** Ids are below this. */
  int vocabularySize();

  /** Most tokens of prompt and output together. */
  int contextLength();

  /** Most tokens of prompt and output together that there is memory for, at most the context. */
  int maxSequenceTokens();
}
