package dev.offload.backends.opencl;

import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/** OpenCL for tests. */
final class OpenClOrSkip {
  private OpenClOrSkip() {}

  /**
   * The first device; where there is none the test is skipped, or fails where {@code
   * OFFLOAD_OPENCL_REQUIRED} is set.
   */
  static DeviceHandle firstDevice() {
    OpenClLibrary.unusableReason()
        .ifPresent(
            reason -> {
              if (System.getenv("OFFLOAD_OPENCL_REQUIRED") != null) {
                Assertions.fail(reason);
              }
              Assumptions.abort(reason);
            });
    return OpenClLibrary.devices().getFirst();
  }
}
