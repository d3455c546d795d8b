package dev.offload.backends.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.tensors.DType;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

final class MatmulBenchmarkTest {
  private static final int ROWS = 3;
  private static final int OUTPUTS = 70;
  private static final int INPUTS = 33;

  @Test
  void shouldMultiplyWhatItCounts() {
    MatmulBenchmark benchmark = new MatmulBenchmark();
    benchmark.shape = OUTPUTS + "x" + INPUTS;
    benchmark.weights = DType.F32;
    benchmark.rows = ROWS;
    benchmark.mebibytes = 1;
    OpenDevice device = new OpenDevice();
    device.backend = "cpu";
    device.threads = 1;
    device.open();
    Arithmetic counter = new Arithmetic();
    float[] weights;
    float[] x;
    float[] products;
    try {
      benchmark.fill(device);
      benchmark.multiply(device, counter);
      x = read(device, benchmark.x().buffer());
      products = read(device, benchmark.out().buffer());
      weights = read(device, benchmark.rowMajor().buffer());
    } finally {
      device.close();
    }

    for (int row = 0; row < ROWS; row++) {
      for (int output = 0; output < OUTPUTS; output++) {
        double sum = 0;
        for (int i = 0; i < INPUTS; i++) {
          sum += (double) x[row * INPUTS + i] * weights[output * INPUTS + i];
        }
        assertEquals(sum, products[row * OUTPUTS + output], 1e-5);
      }
    }
    int copies = 114; // of 9240 bytes in a mebibyte, rounded up
    assertEquals(2e-9 * ROWS * OUTPUTS * INPUTS * copies, counter.gflop, 1e-12);
    assertEquals(4e-9 * OUTPUTS * INPUTS * copies, counter.gigabytes, 1e-12);
  }

  private static float[] read(OpenDevice device, DeviceBuffer buffer) {
    PinnedBuffer pinned = device.allocatePinned("result", buffer.bytes());
    device.stream().copyToHost(buffer, 0, pinned, 0, buffer.bytes());
    device.stream().synchronize();
    long floats = buffer.bytes() / Float.BYTES * Float.BYTES;
    return pinned.segment().asSlice(0, floats).toArray(ValueLayout.JAVA_FLOAT);
  }
}
