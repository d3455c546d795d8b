package dev.offload.backends.cpu;

import dev.offload.backends.api.DeviceBuffer;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;

/** Device memory of the CPU backend: RAM under a budget. Closing twice is harmless. */
final class CpuBuffer implements DeviceBuffer {
  private final MemorySegment segment;
  private final Runnable release;
  private final AtomicBoolean closed = new AtomicBoolean();

  CpuBuffer(MemorySegment segment, Runnable release) {
    this.segment = segment;
    this.release = release;
  }

  /**
   * The bytes of a buffer of this backend.
   *
   * @throws IllegalArgumentException if the buffer belongs to another backend
   */
  static MemorySegment segment(DeviceBuffer buffer) {
    if (buffer instanceof CpuBuffer cpuBuffer) {
      return cpuBuffer.segment;
    }
    throw new IllegalArgumentException(
        "buffer of class %s does not belong to the CPU backend"
            .formatted(buffer.getClass().getName()));
  }

  MemorySegment segment() {
    return segment;
  }

  @Override
  public long bytes() {
    return segment.byteSize();
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      release.run();
    }
  }
}
