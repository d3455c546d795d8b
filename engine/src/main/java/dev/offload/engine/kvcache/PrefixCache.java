package dev.offload.engine.kvcache;

import dev.offload.generation.TokenIds;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The shared prefixes in one KV group. One that nobody uses any more stays, in case somebody comes,
 * until its blocks are needed. Not thread-safe.
 */
public final class PrefixCache {
  private final BlockPool pool;
  private final Map<TokenIds, CachedPrefix> prefixes = new HashMap<>();

  /** Those that nobody uses, the longest unused first. */
  private final Deque<CachedPrefix> idle = new ArrayDeque<>();

  private int idleBlocks;
  private int usedBlocks;

  PrefixCache(BlockPool pool) {
    this.pool = pool;
  }

  /** Whether a prefix is there, used or not. */
  public boolean has(TokenIds tokens) {
    return prefixes.containsKey(tokens);
  }

  /** Whether somebody uses a prefix now. */
  public boolean isUsed(TokenIds tokens) {
    return has(tokens) && prefixes.get(tokens).users() > 0;
  }

  /**
   * A prefix for one more user, with blocks claimed for it if it is new.
   *
   * @return empty if there is no room for it
   */
  Optional<CachedPrefix> tryUse(TokenIds tokens, int blocks) {
    CachedPrefix prefix = prefixes.get(tokens);
    if (prefix == null) {
      Optional<int[]> claimed = pool.tryClaim(blocks);
      if (claimed.isEmpty()) {
        return Optional.empty();
      }
      prefix = new CachedPrefix(tokens, claimed.get());
      prefixes.put(tokens, prefix);
      usedBlocks += blocks;
    } else if (prefix.users() == 0) {
      idle.remove(prefix);
      idleBlocks -= blocks;
      usedBlocks += blocks;
    }
    prefix.use();
    return Optional.of(prefix);
  }

  /** A user is gone. */
  void leave(CachedPrefix prefix) {
    prefix.leave();
    if (prefix.users() == 0) {
      idle.addLast(prefix);
      idleBlocks += prefix.blocks().length;
      usedBlocks -= prefix.blocks().length;
    }
  }

  /** Blocks of prefixes in use. */
  public int usedBlocks() {
    return usedBlocks;
  }

  /** Blocks of prefixes that nobody uses. */
  int idleBlocks() {
    return idleBlocks;
  }

  /** Forgets the prefix that nobody has used for the longest time; its blocks are the caller's. */
  int[] dropOldest() {
    CachedPrefix oldest = idle.removeFirst();
    prefixes.remove(oldest.key());
    idleBlocks -= oldest.blocks().length;
    return oldest.blocks();
  }
}
