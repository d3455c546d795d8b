package dev.offload.backends.cpu;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.conformance.DeviceConformance;
import org.junit.jupiter.api.Nested;

/** The contract, with the matrix products that users get. */
final class CpuBackendConformanceTest {

  @Nested
  class OneDnn extends DeviceConformance {
    @Override
    public Device open(DeviceOptions options) {
      OpenDnnl.orSkip().close();
      return new CpuBackend(MatrixProductChoice.ONEDNN).open(options);
    }
  }

  @Nested
  class JavaVectors extends DeviceConformance {
    @Override
    public Device open(DeviceOptions options) {
      return new CpuBackend(MatrixProductChoice.VECTOR).open(options);
    }
  }
}
