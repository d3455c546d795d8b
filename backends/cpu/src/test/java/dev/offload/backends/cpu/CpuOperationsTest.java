package dev.offload.backends.cpu;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.api.MemoryBudget;
import dev.offload.backends.conformance.junit.DeviceConformance;
import org.junit.jupiter.api.Nested;

/** The contract, with a plain matrix product, for several numbers of threads. */
final class CpuOperationsTest {

  @Nested
  class OneThread extends PlainDevice {
    @Override
    public int threads() {
      return 1;
    }
  }

  @Nested
  class TwoThreads extends PlainDevice {
    @Override
    public int threads() {
      return 2;
    }
  }

  @Nested
  class ThreeThreads extends PlainDevice {
    @Override
    public int threads() {
      return 3;
    }
  }

  abstract static class PlainDevice extends DeviceConformance {
    @Override
    public Device open(DeviceOptions options) {
      WorkerPool workers = new WorkerPool(options.threads());
      MatrixProduct product = new ScalarMatrixProduct();
      MemoryBudget budget = new MemoryBudget("device", options.memoryBytes());
      CpuOperations operations = new CpuOperations(workers, product, budget);
      return new CpuDevice(options, budget, workers, product, operations);
    }
  }
}
