package dev.offload.backends.api;

import java.lang.foreign.MemorySegment;

/** Host memory that a device copies from and to at full speed. */
public interface PinnedBuffer extends AutoCloseable {

  /** The bytes; usable from any thread until the buffer is closed. */
  MemorySegment segment();

  default long bytes() {
    return segment().byteSize();
  }

  /** Releases the memory. No work may be pending on it. */
  @Override
  void close();
}
