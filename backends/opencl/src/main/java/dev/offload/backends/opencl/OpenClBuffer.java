package dev.offload.backends.opencl;

import dev.offload.backends.api.DeviceBuffer;
import java.util.concurrent.atomic.AtomicBoolean;

/** A cl_mem. Closing twice is harmless. */
final class OpenClBuffer implements DeviceBuffer {
  private final long handle;
  private final long bytes;
  private final Runnable release;
  private final AtomicBoolean closed = new AtomicBoolean();

  OpenClBuffer(long handle, long bytes, Runnable release) {
    this.handle = handle;
    this.bytes = bytes;
    this.release = release;
  }

  /**
   * A buffer of this backend.
   *
   * @throws IllegalArgumentException if it belongs to another
   */
  static OpenClBuffer of(DeviceBuffer buffer) {
    if (buffer instanceof OpenClBuffer own) {
      return own;
    }
    throw new IllegalArgumentException(
        "buffer of class %s does not belong to the OpenCL backend"
            .formatted(buffer.getClass().getName()));
  }

  long handle() {
    return handle;
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
