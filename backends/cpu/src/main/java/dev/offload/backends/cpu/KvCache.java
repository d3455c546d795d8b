package dev.offload.backends.cpu;

import dev.offload.backends.api.KvBlocks;
import java.lang.foreign.MemorySegment;

/** The blocks of a KV cache as kernels see them. */
record KvCache(MemorySegment segment, long offset, int blocks, KvBlockLayout layout) {

  static KvCache of(KvBlocks cache) {
    return new KvCache(
        CpuBuffer.segment(cache.buffer()),
        cache.offset(),
        cache.blocks(),
        KvBlockLayout.of(cache.format()));
  }

  /**
   * Where a block begins.
   *
   * @throws IndexOutOfBoundsException if there is no such block
   */
  long blockOffset(int block) {
    if (block < 0 || block >= blocks) {
      throw new IndexOutOfBoundsException(
          "KV block %d of a cache of %d blocks".formatted(block, blocks));
    }
    return offset + block * layout.blockBytes();
  }
}
