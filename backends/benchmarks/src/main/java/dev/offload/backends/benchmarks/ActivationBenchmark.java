package dev.offload.backends.benchmarks;

import dev.offload.backends.api.Activation;
import dev.offload.backends.api.Matrix;
import dev.offload.tensors.DType;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/**
 * How fast the gated activation of a feed-forward module is on rows of F32. Counts the bytes of
 * both operands.
 */
public class ActivationBenchmark extends DeviceBenchmark {
  /** Calls of a sweep. */
  private static final int CALLS = 64;

  /** Which non-linearity. */
  @Param({"SILU", "GELU_TANH"})
  public Activation activation;

  /** Rows of a call. */
  @Param({"1", "32", "512"})
  public int rows;

  /** Numbers of a row of the result. */
  @Param("2560")
  public int width;

  private Matrix x;
  private Matrix out;

  /** Draws the numbers. */
  @Setup
  public void fill(OpenDevice device) {
    x = device.randomMatrix("gates and rows", DType.F32, rows, 2 * width);
    out = device.matrix("activated rows", DType.F32, rows, width);
  }

  /** The activation of all rows. */
  @Benchmark
  public void activate(OpenDevice device, Bytes counter) {
    for (int i = 0; i < CALLS; i++) {
      device.operations().activate(device.stream(), x, activation, true, out);
    }
    device.stream().synchronize();
    counter.add(3.0 * CALLS * rows * width * Float.BYTES);
  }
}
