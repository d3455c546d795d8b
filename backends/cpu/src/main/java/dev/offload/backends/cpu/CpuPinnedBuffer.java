package dev.offload.backends.cpu;

import dev.offload.backends.api.PinnedBuffer;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;

/** Pinned memory of the CPU backend: RAM under a budget. Closing twice is harmless. */
final class CpuPinnedBuffer implements PinnedBuffer {
  private final MemorySegment segment;
  private final Runnable release;
  private final AtomicBoolean closed = new AtomicBoolean();

  CpuPinnedBuffer(MemorySegment segment, Runnable release) {
    this.segment = segment;
    this.release = release;
  }

  @Override
  public MemorySegment segment() {
    return segment;
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      release.run();
    }
  }
}
