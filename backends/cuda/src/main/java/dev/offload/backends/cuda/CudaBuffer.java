package dev.offload.backends.cuda;

import dev.offload.backends.api.DeviceBuffer;
import java.util.concurrent.atomic.AtomicBoolean;

/** A piece of device memory. Closing twice is harmless. */
final class CudaBuffer implements DeviceBuffer {
  private final long address;
  private final long bytes;
  private final Runnable release;
  private final AtomicBoolean closed = new AtomicBoolean();

  /**
   * @param release run once, when it is closed
   */
  CudaBuffer(long address, long bytes, Runnable release) {
    this.address = address;
    this.bytes = bytes;
    this.release = release;
  }

  /**
   * A buffer of this backend.
   *
   * @throws IllegalArgumentException if it belongs to another
   */
  static CudaBuffer of(DeviceBuffer buffer) {
    if (buffer instanceof CudaBuffer own) {
      return own;
    }
    throw new IllegalArgumentException(
        "buffer of class %s does not belong to the CUDA backend"
            .formatted(buffer.getClass().getName()));
  }

  long address() {
    return address;
  }

  @Override
  public long bytes() {
    return bytes;
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      release.run();
    }
  }
}
