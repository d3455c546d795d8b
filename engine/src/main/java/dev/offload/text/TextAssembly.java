package dev.offload.text;

/** Puts the text of one sequence together from its tokens. Not thread-safe. */
interface TextAssembly {
  /**
   * Takes the next token and appends to {@code out} the text that later tokens cannot change.
   *
   * @param token as the vocabulary spells it
   */
  void push(String token, StringBuilder out);

  /**
   * Text of tokens held back which would follow if the sequence ended here; empty while a character
   * is incomplete. A view that the next push changes.
   */
  CharSequence provisional();

  /** Appends what was held back. */
  void finish(StringBuilder out);
}
