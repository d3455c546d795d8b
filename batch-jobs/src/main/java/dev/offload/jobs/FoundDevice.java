package dev.offload.jobs;

import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceDescription;
import dev.offload.backends.api.DeviceOptions;

/**
 * A device that is there and not opened.
 *
 * @param backend that opens it
 * @param description what it says of itself
 */
record FoundDevice(Backend backend, DeviceDescription description) {

  /** As {@code --device} takes it. */
  String label() {
    return label(backend, description.index());
  }

  static String label(Backend backend, int index) {
    return backend.name() + ":" + index;
  }

  /** Whether its memory is not the host's. */
  boolean hasOwnMemory() {
    return switch (description.kind()) {
      case GPU, OTHER -> true;
      case INTEGRATED_GPU, PROCESSOR -> false;
    };
  }

  /** Whether it computes on the processor, in the host's memory. */
  boolean isProcessor() {
    return description.kind() == DeviceDescription.Kind.PROCESSOR;
  }

  /**
   * Bytes of its own memory that it takes beside its budget.
   *
   * @throws RefusedException if it cannot be asked
   */
  long overheadBytes() throws RefusedException {
    try {
      return backend.overheadBytes(description.index());
    } catch (IllegalArgumentException | IllegalStateException e) {
      throw new RefusedException(label() + ": " + e.getMessage(), e);
    }
  }

  /**
   * Opens it with budgets in bytes. The caller closes it.
   *
   * @throws RefusedException if it has less
   */
  Device open(long deviceBytes, long hostBytes, int threads) throws RefusedException {
    try {
      return backend.open(new DeviceOptions(description.index(), deviceBytes, hostBytes, threads));
    } catch (IllegalArgumentException e) {
      throw new RefusedException(label() + ": " + e.getMessage(), e);
    }
  }
}
