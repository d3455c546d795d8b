package dev.offload.sampling;

import dev.offload.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What each token of a model adds to a text. Immutable; made once per job. */
final class TokenTexts {
  private final Tokenizer tokenizer;
  private final int vocabularySize;
  private final TokenTrie first;
  private final TokenTrie later;

  /**
   * @param vocabularySize of the model; tokens beyond it are left out
   */
  TokenTexts(Tokenizer tokenizer, int vocabularySize) {
    this.tokenizer = tokenizer;
    this.vocabularySize = vocabularySize;
    List<byte[]> asFirst = new ArrayList<>();
    List<byte[]> asLater = new ArrayList<>();
    boolean same = true;
    for (int token = 0; token < vocabularySize; token++) {
      byte[] bytes = tokenizer.bytesAdded(token, false);
      byte[] bytesAsFirst = tokenizer.bytesAdded(token, true);
      // What never adds anything could come without end.
      asLater.add(bytes.length == 0 ? null : bytes);
      asFirst.add(bytes.length == 0 ? null : bytesAsFirst);
      same &= Arrays.equals(bytes, bytesAsFirst);
    }
    later = new TokenTrie(asLater);
    first = same ? later : new TokenTrie(asFirst);
  }

  int vocabularySize() {
    return vocabularySize;
  }

  /** Tokens as the first of a text. */
  TokenTrie first() {
    return first;
  }

  /** Tokens behind others. */
  TokenTrie later() {
    return later;
  }

  byte[] bytes(int token, boolean first) {
    return tokenizer.bytesAdded(token, first);
  }

  int blanksDropped() {
    return tokenizer.blanksDropped();
  }
}
