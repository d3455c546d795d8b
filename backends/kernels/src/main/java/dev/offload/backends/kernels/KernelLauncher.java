package dev.offload.backends.kernels;

import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.Stream;

/** What runs kernels: a device of a backend. */
public interface KernelLauncher {

  /** Largest work-group, and bytes of local memory that one may have. */
  record Limits(int groupItems, int localBytes) {}

  Limits limits();

  /**
   * Enqueues a kernel, compiling it first if need be.
   *
   * @throws IllegalArgumentException if the stream or a buffer is of another backend
   */
  void launch(Stream stream, Launch launch);

  /**
   * Memory that only kernels on this stream use, contents undefined.
   *
   * @throws IllegalArgumentException if the stream is of another backend
   */
  DeviceBuffer scratch(Stream stream);
}
