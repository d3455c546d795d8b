package dev.offload.engine.pass;

import dev.offload.engine.kvcache.BlockTable;
import dev.offload.generation.TokenIds;
import java.util.Arrays;

/**
 * One running sequence: its tokens, how many of them the cache holds, and its cache blocks. Owned
 * by the engine thread.
 */
public final class Sequence {
  private final Object owner;
  private final int promptLength;
  private final int group;
  private final BlockTable blocks;
  private int[] tokens;
  private int length;
  private int cached;

  /**
   * @param owner what the engine knows it by
   * @param prompt its first tokens
   * @param group its KV group
   * @param blocks its cache blocks, which the engine grows with it
   */
  public Sequence(Object owner, TokenIds prompt, int group, BlockTable blocks) {
    this.owner = owner;
    this.tokens = prompt.toArray();
    this.length = tokens.length;
    this.promptLength = length;
    this.group = group;
    this.blocks = blocks;
  }

  /** Adds a token behind the others. */
  public void append(int token) {
    if (length == tokens.length) {
      tokens = Arrays.copyOf(tokens, Math.max(16, length * 2));
    }
    tokens[length++] = token;
  }

  /**
   * Keeps only the first tokens, in the cache too; those added next take the others' places.
   *
   * @param kept at least the prompt's
   */
  public void truncate(int kept) {
    if (kept < promptLength || kept > length) {
      throw new IllegalArgumentException(
          "%d tokens are to be kept, must be from %d to %d".formatted(kept, promptLength, length));
    }
    length = kept;
    cached = Math.min(cached, kept);
  }

  /** The first tokens not yet in the cache have been computed. */
  void advance(int count) {
    cached += count;
  }

  public Object owner() {
    return owner;
  }

  int token(int position) {
    return tokens[position];
  }

  public int length() {
    return length;
  }

  public int promptLength() {
    return promptLength;
  }

  int cached() {
    return cached;
  }

  /** Tokens whose keys and values are not in the cache yet. */
  int pending() {
    return length - cached;
  }

  public int group() {
    return group;
  }

  /** Pending tokens behind which no logits are wanted. */
  int pendingWithoutLogits() {
    return Math.max(0, promptLength - 1 - cached);
  }

  public BlockTable blocks() {
    return blocks;
  }
}
