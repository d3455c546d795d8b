package dev.offload.engine.pass;

import dev.offload.engine.kvcache.BlockTable;
import dev.offload.engine.kvcache.CachedPrefix;
import dev.offload.generation.TokenIds;
import dev.offload.sampling.WantedLogits;
import java.util.Arrays;
import java.util.Optional;

/**
 * One sequence: its tokens, how many of them the cache holds, and its cache blocks. It enters a KV
 * group before it is computed, may be sent away and enter again, and leaves when it is finished.
 * Owned by the engine thread.
 */
public final class Sequence {
  private final Object owner;
  private final long number;
  private final int promptLength;
  private final int mostTokens;
  private final TokenIds prefix;
  private final WantedLogits wantedLogits;
  private int[] tokens;
  private int length;
  private int group = -1;
  private BlockTable blocks;

  /** How many of the first tokens are in the cache, without those that others computed for it. */
  private int cached;

  /** How many of the first tokens have been computed, even if the cache lost them since. */
  private int computed;

  /**
   * @param owner what the engine knows it by
   * @param number its place among all of a run, by which older and younger are told apart
   * @param prompt its first tokens
   * @param mostTokens most tokens that it will ever have
   * @param prefix first tokens of the prompt that it shares with others; empty if none
   * @param wantedLogits what is wanted of each of its rows of logits
   */
  public Sequence(
      Object owner,
      long number,
      TokenIds prompt,
      int mostTokens,
      TokenIds prefix,
      WantedLogits wantedLogits) {
    this.owner = owner;
    this.number = number;
    this.tokens = prompt.toArray();
    this.length = tokens.length;
    this.promptLength = length;
    this.mostTokens = mostTokens;
    this.prefix = prefix;
    this.wantedLogits = wantedLogits;
  }

  /**
   * Gets a place in the cache.
   *
   * @param to its KV group
   * @param table its cache blocks there, which the engine grows with it; released when it leaves
   */
  public void enter(int to, BlockTable table) {
    group = to;
    blocks = table;
  }

  /** Gives its place in the cache up, and what it has there. */
  public void leave() {
    blocks.release();
    group = -1;
    cached = 0;
  }

  /** Its cache blocks hold the first tokens again, as before it left. */
  public void restored(int tokensInCache) {
    if (tokensInCache > computed) {
      throw new IllegalArgumentException(
          "%d tokens are restored, but only %d were ever computed"
              .formatted(tokensInCache, computed));
    }
    cached = tokensInCache;
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
    computed = Math.min(computed, kept);
  }

  /** All its first tokens up to this number are in the cache now. */
  void advance(int to) {
    cached = to;
    computed = Math.max(computed, cached);
    cachedPrefix().ifPresent(shared -> shared.advance(to));
  }

  public Object owner() {
    return owner;
  }

  /** Smaller than those of younger sequences. */
  public long number() {
    return number;
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

  /** Most tokens that it will ever have. */
  public int mostTokens() {
    return mostTokens;
  }

  /** First tokens of the prompt that it shares with others; empty if none. */
  public TokenIds prefix() {
    return prefix;
  }

  /** What is wanted of each of its rows of logits. */
  public WantedLogits wantedLogits() {
    return wantedLogits;
  }

  /** The same in the cache of its KV group; absent if it shares none or is in no group. */
  Optional<CachedPrefix> cachedPrefix() {
    return blocks == null ? Optional.empty() : blocks.prefix();
  }

  /** Whether all of the prefix that it shares, if any, is in the cache of its KV group. */
  public boolean hasWholePrefix() {
    return cachedPrefix().map(shared -> shared.cached() == shared.tokens()).orElse(true);
  }

  /** Tokens whose keys and values are in the cache. */
  public int cached() {
    return Math.max(cached, cachedPrefix().map(CachedPrefix::cached).orElse(0));
  }

  /** Tokens whose keys and values are not in the cache yet. */
  int pending() {
    return length - cached();
  }

  /** The KV group it is in; −1 if in none. */
  public int group() {
    return group;
  }

  /** How many of its first tokens have been computed, even if the cache lost them since. */
  int computed() {
    return computed;
  }

  /** The first token behind which logits are wanted. */
  int firstWithLogits() {
    return Math.max(promptLength - 1, computed);
  }

  public BlockTable blocks() {
    return blocks;
  }
}
