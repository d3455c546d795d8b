package dev.offload.text;

import java.util.Arrays;
import java.util.BitSet;

/** Tokens by id, as the tokenizer spells them. Immutable once built. */
final class Vocabulary {
  private final String[] spellings;
  private final BitSet special;
  private final int size;

  private Vocabulary(String[] spellings, BitSet special, int size) {
    this.spellings = spellings;
    this.special = special;
    this.size = size;
  }

  /** Number of tokens. */
  int size() {
    return size;
  }

  boolean has(int token) {
    return token >= 0 && token < spellings.length && spellings[token] != null;
  }

  boolean isSpecial(int token) {
    return special.get(token);
  }

  /** The token's spelling; it must exist. */
  String spelling(int token) {
    return spellings[token];
  }

  /** Collects tokens. */
  static final class Builder {
    /** More than any known model has; bounds the memory that a broken file can ask for. */
    static final int MOST_TOKENS = 1 << 22;

    private final BitSet special = new BitSet();
    private String[] spellings = new String[1 << 10];

    void add(int id, String spelling) {
      if (id < 0 || id >= MOST_TOKENS) {
        throw new IllegalArgumentException(
            "token \"%s\" has id %d, must be from 0 to %d"
                .formatted(spelling, id, MOST_TOKENS - 1));
      }
      if (id >= spellings.length) {
        spellings = Arrays.copyOf(spellings, Math.max(2 * spellings.length, id + 1));
      }
      spellings[id] = spelling;
    }

    void addSpecial(int id, String spelling) {
      add(id, spelling);
      special.set(id);
    }

    Vocabulary build() {
      int size = 0;
      for (String spelling : spellings) {
        size += spelling == null ? 0 : 1;
      }
      return new Vocabulary(spellings, special, size);
    }
  }
}
