package dev.offload.engine.kvcache;

import dev.offload.tensors.Tier;
import java.util.Optional;

/**
 * Where cache blocks wait while their sequence does not run: a copy of them in all layers. Copies
 * between passes, while nothing else touches the cache, and returns when they are done. Owns its
 * memory; owned by the engine thread.
 */
public abstract class SwapArea implements AutoCloseable {
  private final BlockPool places;
  private final long placeBytes;
  private long copiedBytes;
  private long copyNanos;

  /** Where a copy goes: out of the cache, or back into it. */
  enum Way {
    OUT,
    BACK
  }

  /**
   * @param places how many blocks it holds
   * @param placeBytes bytes of a block in all layers
   */
  SwapArea(int places, long placeBytes) {
    this.places = new BlockPool(places);
    this.placeBytes = placeBytes;
  }

  /** Whether they wait in {@link Tier#HOST memory} or in a {@link Tier#DISK file}. */
  public abstract Tier tier();

  /** What a copy one way is taken to cost before any was made. */
  abstract double firstNanosPerByte();

  /**
   * Copies blocks of a group's cache to places here, or back.
   *
   * @param skipped blocks at the beginning of the sequence's table that are not copied
   * @return whether that went well; it may not have begun
   */
  abstract boolean tryCopy(int group, BlockTable blocks, int skipped, BlockTable saved, Way way);

  /**
   * Copies neighbouring blocks of a sequence here if there is room.
   *
   * @param first which blocks of the table they are
   * @return their places, to be given to {@link #tryRestore} or {@link BlockTable#release
   *     released}; empty if there is no room, or it failed
   */
  public final Optional<BlockTable> tryStore(int group, BlockTable blocks, int first, int count) {
    BlockTable saved = new BlockTable(places, 1);
    if (saved.ensure(count)) {
      if (timed(group, blocks, first, saved, Way.OUT)) {
        return Optional.of(saved);
      }
      saved.release();
    }
    return Optional.empty();
  }

  /**
   * Copies blocks back, to be those of a table from {@code first} on, and frees their places.
   *
   * @return whether that went well; if not, anything may be in the blocks
   */
  public final boolean tryRestore(BlockTable saved, int group, BlockTable blocks, int first) {
    boolean restored = timed(group, blocks, first, saved, Way.BACK);
    saved.release();
    return restored;
  }

  private boolean timed(int group, BlockTable blocks, int skipped, BlockTable saved, Way way) {
    long begin = System.nanoTime();
    boolean copied = tryCopy(group, blocks, skipped, saved, way);
    if (copied) {
      copyNanos += System.nanoTime() - begin;
      copiedBytes += placeBytes * saved.blocks();
    }
    return copied;
  }

  /** What a copy of so many blocks takes one way, by those made so far. */
  public final double copyNanos(int blocks) {
    double nanosPerByte = copiedBytes == 0 ? firstNanosPerByte() : (double) copyNanos / copiedBytes;
    return nanosPerByte * placeBytes * blocks;
  }

  /** Bytes copied so far, both ways. */
  public final long copiedBytes() {
    return copiedBytes;
  }

  /** Blocks for which there is room. */
  public final int freePlaces() {
    return places.freeBlocks();
  }

  /** All places, free or not. */
  public final int places() {
    return places.blocks();
  }

  @Override
  public abstract void close();
}
