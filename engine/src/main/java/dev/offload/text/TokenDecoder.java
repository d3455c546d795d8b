package dev.offload.text;

/**
 * How tokens become text: the {@code decoder} of a tokenizer.json. Immutable.
 *
 * <p>What each kind does is what Hugging Face's tokenizers library 0.21 does.
 */
sealed interface TokenDecoder permits ByteLevelDecoder, PieceDecoder {
  /** A new sequence. */
  TextAssembly newAssembly();

  /** The bytes of a token by itself. */
  byte[] bytes(String token);

  /**
   * The bytes that a token adds to a text.
   *
   * @param first it is the first token
   */
  byte[] added(String token, boolean first);

  /** Most blanks dropped at the start of the bytes that tokens add. */
  int blanksAtStart();
}
