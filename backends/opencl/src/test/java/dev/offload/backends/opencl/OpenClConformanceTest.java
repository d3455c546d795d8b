package dev.offload.backends.opencl;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.conformance.junit.DeviceConformance;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The contract on the first OpenCL device; its programs are built once for all tests. */
final class OpenClConformanceTest extends DeviceConformance {
  private static OpenClContext context;

  @BeforeAll
  static void openContext() {
    context = OpenClContext.open(OpenClOrSkip.firstDevice());
  }

  @AfterAll
  static void closeContext() {
    if (context != null) {
      context.close();
    }
  }

  @Override
  public Device open(DeviceOptions options) {
    return new OpenClDevice(context, false, options);
  }
}
