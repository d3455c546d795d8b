package dev.offload.backends.api;

/**
 * What a device may use.
 *
 * @param index which device of the backend, from 0
 * @param memoryBytes budget of device memory; never exceeded
 * @param pinnedBytes budget of pinned host memory; never exceeded
 * @param threads CPU threads that may compute, at least 1; devices that compute elsewhere ignore it
 */
public record DeviceOptions(int index, long memoryBytes, long pinnedBytes, int threads) {
  public DeviceOptions {
    if (index < 0 || memoryBytes < 0 || pinnedBytes < 0 || threads < 1) {
      throw new IllegalArgumentException(
          "device index %d, memory %d bytes, pinned %d bytes, threads %d: none may be negative and threads must be at least 1"
              .formatted(index, memoryBytes, pinnedBytes, threads));
    }
  }
}
