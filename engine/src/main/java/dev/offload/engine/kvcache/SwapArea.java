package dev.offload.engine.kvcache;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import java.util.Optional;

/**
 * Pinned host memory where cache blocks wait while their sequence does not run: a copy of them in
 * all layers. Copies between passes, while nothing else touches the cache, and returns when they
 * are done. Owns its memory and its stream; owned by the engine thread.
 */
public final class SwapArea implements AutoCloseable {
  private final KvStore cache;
  private final int layers;
  private final long blockBytes;
  private final BlockPool places;
  private final PinnedBuffer memory;
  private final Stream stream;
  private long copiedBytes;
  private long copyNanos;

  /**
   * @param places how many blocks it holds
   * @throws dev.offload.backends.api.MemoryBudgetException if the budget does not suffice
   */
  public SwapArea(Device device, KvStore cache, int places, int layers) {
    this.cache = cache;
    this.layers = layers;
    this.blockBytes = cache.blockBytes();
    this.places = new BlockPool(places);
    this.memory = device.allocatePinned("swapped KV cache", blockBytes * places * layers);
    this.stream = device.newStream("swap");
  }

  /** What a copy of so many blocks takes here. */
  public long bytes(int blocks) {
    return blockBytes * layers * blocks;
  }

  /**
   * Copies neighbouring blocks of a sequence here if there is room.
   *
   * @param first which blocks of the table they are
   * @return their places, to be given to {@link #restore} or {@link BlockTable#release released}
   */
  public Optional<BlockTable> tryStore(int group, BlockTable blocks, int first, int count) {
    BlockTable saved = new BlockTable(places, 1);
    if (!saved.ensure(count)) {
      return Optional.empty();
    }
    copy(group, blocks, first, saved, true);
    return Optional.of(saved);
  }

  /** Copies blocks back, to be those of a table from {@code first} on, and frees their places. */
  public void restore(BlockTable saved, int group, BlockTable blocks, int first) {
    copy(group, blocks, first, saved, false);
    saved.release();
  }

  private void copy(int group, BlockTable blocks, int skipped, BlockTable saved, boolean out) {
    long begin = System.nanoTime();
    int count = saved.blocks();
    for (int first = 0, next; first < count; first = next) {
      next = first + 1;
      while (next < count && continues(blocks, skipped + next) && continues(saved, next)) {
        next++;
      }
      long bytes = (next - first) * blockBytes;
      int block = blocks.block(skipped + first);
      for (int layer = 0; layer < layers; layer++) {
        long offset = ((long) layer * places.blocks() + saved.block(first)) * blockBytes;
        if (out) {
          cache.copyOut(stream, layer, group, block, memory, offset, bytes);
        } else {
          cache.copyIn(stream, layer, group, block, memory, offset, bytes);
        }
      }
    }
    stream.synchronize();
    copyNanos += System.nanoTime() - begin;
    copiedBytes += bytes(count);
  }

  private static boolean continues(BlockTable table, int i) {
    return table.block(i) == table.block(i - 1) + 1;
  }

  /** Bytes copied so far, both ways. */
  public long copiedBytes() {
    return copiedBytes;
  }

  /** Time that took. */
  public long copyNanos() {
    return copyNanos;
  }

  /** Blocks for which there is room. */
  public int freePlaces() {
    return places.freeBlocks();
  }

  @Override
  public void close() {
    stream.close();
    memory.close();
  }
}
