package dev.offload.backends.kernels;

import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.Stream;

/** What runs kernels: a device of a backend. */
public interface KernelLauncher {

  /**
   * What the work of a group depends on.
   *
   * @param groupItems largest work-group
   * @param localBytes local memory that one may have
   * @param itemsTakeTurns whether work-items of a group run one after the other, as on a processor
   * @param computeUnits work-groups that run at a time, at least
   * @param dedicatedLocalMemory whether local memory is apart from what caches the rest, so that
   *     products by a kernel bring there what they read often
   */
  record Limits(
      int groupItems,
      int localBytes,
      boolean itemsTakeTurns,
      int computeUnits,
      boolean dedicatedLocalMemory) {}

  Limits limits();

  /** Whether kernels in {@link KernelSource#TENSOR_CORE_ATTENTION} run here. */
  default boolean hasTensorCores() {
    return false;
  }

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

  /**
   * Bytes of the device's budget that a stream's {@link #scratch} takes; none where it is set aside
   * beside the budget.
   */
  default long scratchBytes() {
    return 0;
  }
}
