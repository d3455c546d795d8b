package dev.offload.engine.kvcache;

import java.util.Optional;

/**
 * The blocks of one KV group, free or claimed; the same numbers in every layer. Not thread-safe.
 */
public final class BlockPool {
  private final int[] free;
  private int freeCount;

  public BlockPool(int blocks) {
    free = new int[blocks];
    for (int i = 0; i < blocks; i++) {
      free[i] = blocks - 1 - i;
    }
    freeCount = blocks;
  }

  /** Claims that many blocks, or none if there are not enough. */
  public Optional<int[]> tryClaim(int count) {
    if (count > freeCount) {
      return Optional.empty();
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
    return freeCount;
  }

  /** All blocks, free or not. */
  public int blocks() {
    return free.length;
  }
}
