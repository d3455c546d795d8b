package dev.offload.backends.cuda;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.conformance.junit.DeviceConformance;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;

/**
 * The contract on the first CUDA device, if there is one; where {@code OFFLOAD_CUDA_REQUIRED} is
 * set there must be. Its context is opened once for all tests, and its overhead comes beside the
 * budgets.
 */
final class CudaConformanceTest extends DeviceConformance {
  private static CudaContext context;

  @BeforeAll
  static void openContext() {
    CudaMachine.unusableReason()
        .ifPresent(
            reason -> {
              if (System.getenv("OFFLOAD_CUDA_REQUIRED") != null) {
                Assertions.fail(reason);
              }
              Assumptions.abort(reason);
            });
    context = CudaMachine.openContext(0);
  }

  @AfterAll
  static void closeContext() {
    if (context != null) {
      context.close();
    }
  }

  @Override
  public Device open(DeviceOptions options) {
    return new CudaDevice(context, false, options);
  }
}
