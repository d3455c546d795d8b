package dev.offload.text;

import dev.offload.generation.TokenIds;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * The tokenizer of a model folder: {@code tokenizer.json}, or {@code vocab.json} with {@code
 * merges.txt}. Thread-safe. Reads local files only.
 */
public final class Tokenizer implements AutoCloseable {
  private final Vocabulary vocabulary;
  private final TokenDecoder decoder;
  private final NativeTokenizer encoder;

  private Tokenizer(Vocabulary vocabulary, TokenDecoder decoder, NativeTokenizer encoder) {
    this.vocabulary = vocabulary;
    this.decoder = decoder;
    this.encoder = encoder;
  }

  /**
   * Opens the tokenizer of a model.
   *
   * @throws IOException if there is none, or it is broken or of a kind not supported; the message
   *     names the file and what to do
   */
  public static Tokenizer open(Path modelFolder) throws IOException {
    TokenizerSource source = TokenizerSource.read(modelFolder);
    TokenizerDefinition definition = TokenizerDefinition.parse(source);
    return new Tokenizer(
        definition.vocabulary(), definition.decoder(), NativeTokenizer.open(source));
  }

  /**
   * Splits text into tokens.
   *
   * @param addSpecialTokens puts the model's special tokens around it, such as one that begins a
   *     text
   * @throws IllegalArgumentException if the text holds half of a surrogate pair
   */
  public TokenIds encode(String text, boolean addSpecialTokens) {
    requireWholeCharacters(text);
    return encoder.encode(text, addSpecialTokens);
  }

  private static void requireWholeCharacters(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
      } else if (Character.isSurrogate(c)) {
        throw new IllegalArgumentException(
            "text has half of a surrogate pair (U+%04X) at index %d".formatted((int) c, i));
      }
    }
  }

  /**
   * Turns tokens into text. Broken UTF-8 becomes U+FFFD; ids without a token are skipped.
   *
   * @param skipSpecial leaves special tokens out
   */
  public String decode(TokenIds tokens, boolean skipSpecial) {
    TextAssembly assembly = decoder.newAssembly();
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < tokens.size(); i++) {
      int token = tokens.get(i);
      if (vocabulary.has(token) && !(skipSpecial && vocabulary.isSpecial(token))) {
        assembly.push(vocabulary.spelling(token), text);
      }
    }
    assembly.finish(text);
    return text.toString();
  }

  /** Number of tokens, added ones included. The model's may be larger. */
  public int vocabularySize() {
    return vocabulary.size();
  }

  /** The bytes a token stands for by itself; none if there is no such token. */
  public byte[] tokenBytes(int token) {
    return vocabulary.has(token) ? decoder.bytes(vocabulary.spelling(token)) : new byte[0];
  }

  /**
   * The bytes that a token adds to a text; none if it adds nothing, such as a special one. All of
   * them together, without {@link #blanksDropped} blanks at the start, are the text's UTF-8,
   * provided that is what they are.
   *
   * @param first it is the first token of the text
   */
  public byte[] bytesAdded(int token, boolean first) {
    return hasText(token) ? decoder.added(vocabulary.spelling(token), first) : new byte[0];
  }

  /** Most blanks that are dropped at the start of a text. */
  public int blanksDropped() {
    return decoder.blanksAtStart();
  }

  /** {@link #tokenBytes} as text, broken UTF-8 shown as U+FFFD. */
  public String tokenText(int token) {
    return new String(tokenBytes(token), StandardCharsets.UTF_8);
  }

  TokenDecoder decoder() {
    return decoder;
  }

  /** Whether a token exists and is not a special one. */
  boolean hasText(int token) {
    return vocabulary.has(token) && !vocabulary.isSpecial(token);
  }

  String spelling(int token) {
    return vocabulary.spelling(token);
  }

  @Override
  public void close() {
    encoder.close();
  }
}
