package dev.offload.backends.benchmarks;

import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Operations;
import dev.offload.backends.api.Weight;
import dev.offload.tensors.DType;
import java.util.List;
import java.util.Optional;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/**
 * How fast rows are multiplied with weights that come from memory: each sweep goes through more of
 * them than any cache holds. Counts the bytes of the weights.
 */
public class MatmulBenchmark extends DeviceBenchmark {
  /** Outputs x inputs; the defaults are matrices of examples/shapes. */
  @Param({"960x960", "5120x960", "960x2560", "1024x1024", "1024x512"})
  public String shape;

  /** Format of the weights. */
  @Param({"BF16", "F32"})
  public DType weights;

  /** Rows of the left operand, in the format that the device likes best. */
  @Param({"1", "4", "16", "32", "64", "128", "512"})
  public int rows;

  /** Memory that the weights fill. */
  @Param("256")
  public int mebibytes;

  private WeightShape size;
  private Weight rowMajor;
  private List<Weight> ring;
  private Matrix x;
  private Matrix out;

  /** Draws the numbers and packs the weights. */
  @Setup
  public void fill(OpenDevice device) {
    size = WeightShape.parse(weights, shape);
    Operations operations = device.operations();
    int count = countToFill(mebibytes, size.bytes());
    if (operations.packs(weights, size.outputs(), size.inputs())) {
      rowMajor = size.allocateRandom(device, 1).getFirst();
      ring = size.allocate(device, "packed weights", count, true);
      ring.forEach(packed -> operations.pack(device.stream(), rowMajor, packed));
    } else {
      ring = size.allocateRandom(device, count);
      rowMajor = ring.getFirst();
    }
    x = device.randomMatrix("rows", device.matrixInput(weights), rows, size.inputs());
    out = device.matrix("products", DType.F32, rows, size.outputs());
    device.stream().synchronize();
  }

  /** The rows times each of the weights. */
  @Benchmark
  public void multiply(OpenDevice device, Arithmetic counter) {
    for (Weight weight : ring) {
      device.operations().matmul(device.stream(), x, weight, Optional.empty(), false, out);
    }
    device.stream().synchronize();
    counter.add(
        2.0 * rows * size.outputs() * size.inputs() * ring.size(),
        (double) size.bytes() * ring.size());
  }

  /** The weight that all weights are. */
  Weight rowMajor() {
    return rowMajor;
  }

  Matrix x() {
    return x;
  }

  Matrix out() {
    return out;
  }
}
