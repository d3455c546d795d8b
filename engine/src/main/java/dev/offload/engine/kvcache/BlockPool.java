package dev.offload.engine.kvcache;

import java.util.Optional;

/**
 * The blocks of one KV group, free or claimed; the same numbers in every layer. Those of shared
 * prefixes that nobody uses count as free. Not thread-safe.
 */
public final class BlockPool {
  private final int[] free;
  private int freeCount;
  private final PrefixCache prefixes = new PrefixCache(this);

  public BlockPool(int blocks) {
    free = new int[blocks];
    for (int i = 0; i < blocks; i++) {
      free[i] = blocks - 1 - i;
    }
    freeCount = blocks;
  }

  /** Claims that many blocks, or none if there are not enough. */
  public Optional<int[]> tryClaim(int count) {
    if (count > freeBlocks()) {
      return Optional.empty();
    }
    while (count > freeCount) {
      release(prefixes.dropOldest());
    }
    int[] claimed = new int[count];
    for (int i = 0; i < count; i++) {
      claimed[i] = free[--freeCount];
    }
    return Optional.of(claimed);
  }

  /** Gives blocks back. */
  public void release(int[] blocks) {
    for (int i = blocks.length - 1; i >= 0; i--) {
      free[freeCount++] = blocks[i];
    }
  }

  public int freeBlocks() {
    return freeCount + prefixes.idleBlocks();
  }

  /** The shared prefixes whose blocks come from here. */
  public PrefixCache prefixes() {
    return prefixes;
  }

  /** Forgets all prefixes that nobody uses. */
  public void dropIdlePrefixes() {
    while (prefixes.idleBlocks() > 0) {
      release(prefixes.dropOldest());
    }
  }

  /** All blocks, free or not. */
  public int blocks() {
    return free.length;
  }
}
