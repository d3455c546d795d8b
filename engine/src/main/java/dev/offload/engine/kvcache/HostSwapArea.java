package dev.offload.engine.kvcache;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.tensors.Tier;

/** Blocks that wait in pinned host memory, layer by layer. */
public final class HostSwapArea extends SwapArea {
  private final KvStore cache;
  private final int layers;
  private final long blockBytes;
  private final PinnedBuffer memory;
  private final Stream stream;

  /**
   * @param places how many blocks it holds
   * @throws dev.offload.backends.api.MemoryBudgetException if the budget does not suffice
   */
  public HostSwapArea(Device device, KvStore cache, int places, int layers) {
    super(places, cache.blockBytes() * layers);
    this.cache = cache;
    this.layers = layers;
    this.blockBytes = cache.blockBytes();
    this.memory = device.allocatePinned("swapped KV cache", blockBytes * places * layers);
    this.stream = device.newStream("swap");
  }

  @Override
  public Tier tier() {
    return Tier.HOST;
  }

  /** The first copy is always made. */
  @Override
  double firstNanosPerByte() {
    return 0;
  }

  @Override
  boolean tryCopy(int group, BlockTable blocks, int skipped, BlockTable saved, Way way) {
    int count = saved.blocks();
    for (int first = 0, next; first < count; first = next) {
      next = first + 1;
      while (next < count && continues(blocks, skipped + next) && continues(saved, next)) {
        next++;
      }
      long bytes = (next - first) * blockBytes;
      int block = blocks.block(skipped + first);
      for (int layer = 0; layer < layers; layer++) {
        long offset = ((long) layer * places() + saved.block(first)) * blockBytes;
        switch (way) {
          case OUT -> cache.copyOut(stream, layer, group, block, memory, offset, bytes);
          case BACK -> cache.copyIn(stream, layer, group, block, memory, offset, bytes);
        }
      }
    }
    stream.synchronize();
    return true;
  }

  private static boolean continues(BlockTable table, int i) {
    return table.block(i) == table.block(i - 1) + 1;
  }

  @Override
  public void close() {
    stream.close();
    memory.close();
  }
}
