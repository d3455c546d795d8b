package dev.offload.backends.cuda;

import dev.offload.backends.api.PinnedBuffer;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;

/** Host memory, pinned in pieces. Closing twice is harmless. */
final class CudaPinnedBuffer implements PinnedBuffer {
  private final MemorySegment segment;
  private final Runnable release;
  private final AtomicBoolean closed = new AtomicBoolean();

  /**
   * @param release run once, when it is closed
   */
  CudaPinnedBuffer(MemorySegment segment, Runnable release) {
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
