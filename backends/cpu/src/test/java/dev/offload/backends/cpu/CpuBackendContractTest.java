package dev.offload.backends.cpu;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.conformance.junit.DeviceConformance;
import org.junit.jupiter.api.Nested;

/** The contract, with each of the fast matrix products. */
final class CpuBackendContractTest {

  @Nested
  class WithTheFastestProduct extends DeviceConformance {
    @Override
    public Device open(DeviceOptions options) {
      return new CpuBackend().open(options);
    }
  }

  @Nested
  class WithVectorProduct extends DeviceConformance {
    @Override
    public Device open(DeviceOptions options) {
      return new CpuBackend(MatrixProductChoice.VECTOR).open(options);
    }
  }
}
