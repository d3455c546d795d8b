package dev.offload.backends.cpu;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.conformance.junit.DeviceConformance;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;

/** The contract, with the matrix products that users get. */
final class CpuBackendConformanceTest {

  @Nested
  class OneDnn extends DeviceConformance {
    @BeforeEach
    void skipWhereItIsMissing() {
      OpenDnnl.orSkip().close();
    }

    @Override
    public Device open(DeviceOptions options) {
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
