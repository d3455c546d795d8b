package dev.offload.backends.opencl;

import dev.offload.backends.api.PinnedBuffer;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;

/** Host memory that the driver copies from and to directly. Closing twice is harmless. */
final class OpenClPinnedBuffer implements PinnedBuffer {
  private final MemorySegment segment;
  private final Runnable release;
  private final AtomicBoolean closed = new AtomicBoolean();

  OpenClPinnedBuffer(MemorySegment segment, Runnable release) {
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
