package dev.offload.engine.kvcache;

import dev.offload.generation.TokenIds;

/**
 * A prefix that sequences of a KV group share: its blocks, and how many of its tokens they hold so
 * far. Whichever of the sequences comes first computes what is missing. Not thread-safe.
 */
public final class CachedPrefix {
  private final TokenIds tokens;
  private final int[] blocks;
  private int cached;
  private int users;

  CachedPrefix(TokenIds tokens, int[] blocks) {
    this.tokens = tokens;
    this.blocks = blocks;
  }

  /** Length of the prefix, whole blocks. */
  public int tokens() {
    return tokens.size();
  }

  /** Its first so many tokens are in the cache. */
  public int cached() {
    return cached;
  }

  /** Its first so many tokens have been computed, if not more before. */
  public void advance(int count) {
    cached = Math.max(cached, Math.min(count, tokens()));
  }

  TokenIds key() {
    return tokens;
  }

  int[] blocks() {
    return blocks;
  }

  /** How many sequences have it. */
  int users() {
    return users;
  }

  void use() {
    users++;
  }

  void leave() {
    users--;
  }
}
