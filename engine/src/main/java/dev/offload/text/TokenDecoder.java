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
}
