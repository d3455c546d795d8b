package dev.offload.backends.api;

/** Bytes on a device. The CPU cannot look inside; bytes come and go through a {@link Stream}. */
public interface DeviceBuffer extends AutoCloseable {

  long bytes();

  /** Releases the memory. No work may be pending on it. */
  @Override
  void close();
}
