package dev.offload.backends.benchmarks;

import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.NormSpec;
import dev.offload.tensors.DType;
import java.util.Optional;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/**
 * How fast rows of F32 are normalised that are in the cache, as they are between two products.
 * Counts the bytes of all operands.
 */
public class NormBenchmark extends DeviceBenchmark {
  /** Calls of a sweep. */
  private static final int CALLS = 64;

  /** Rows of a call. */
  @Param({"1", "32", "512"})
  public int rows;

  /** Numbers of a row. */
  @Param("960")
  public int columns;

  private NormSpec norm;
  private Matrix x;
  private Matrix small;
  private Matrix out;

  /** Draws the numbers. */
  @Setup
  public void fill(OpenDevice device) {
    norm = new NormSpec(device.randomVector("factors", columns), Optional.empty(), 1e-5f, false);
    x = device.randomMatrix("rows", DType.F32, rows, columns);
    small = device.randomMatrix("summand", DType.F32, rows, columns);
    out = device.matrix("normalised rows", DType.F32, rows, columns);
  }

  /** RMSNorm. */
  @Benchmark
  public void norm(OpenDevice device, Bytes counter) {
    for (int i = 0; i < CALLS; i++) {
      device.operations().norm(device.stream(), x, norm, out);
    }
    device.stream().synchronize();
    counter.add(2.0 * CALLS * rows * columns * Float.BYTES);
  }

  /** A sum and RMSNorm in one; the sum is written too. */
  @Benchmark
  public void addNorm(OpenDevice device, Bytes counter) {
    for (int i = 0; i < CALLS; i++) {
      device.operations().addNorm(device.stream(), x, small, norm, out);
    }
    device.stream().synchronize();
    counter.add(4.0 * CALLS * rows * columns * Float.BYTES);
  }
}
