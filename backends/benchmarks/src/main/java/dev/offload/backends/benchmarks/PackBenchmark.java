package dev.offload.backends.benchmarks;

import dev.offload.backends.api.Weight;
import dev.offload.tensors.DType;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/**
 * How fast weights are put into the device's own order, from memory to memory. Counts the bytes
 * that are read.
 */
public class PackBenchmark extends DeviceBenchmark {
  /** Outputs x inputs. */
  @Param({"4096x4096", "5120x960", "960x2560", "1024x512"})
  public String shape;

  /** Format of the weights. */
  @Param({"BF16", "F32"})
  public DType weights;

  /** Memory that the row-major weights fill. */
  @Param("256")
  public int mebibytes;

  private WeightShape size;
  private List<Weight> rowMajor;
  private List<Weight> packed;

  /**
   * Draws the numbers.
   *
   * @throws IllegalArgumentException if the device uses such weights as they are
   */
  @Setup
  public void fill(OpenDevice device) {
    size = WeightShape.parse(weights, shape);
    if (!device.operations().packs(weights, size.outputs(), size.inputs())) {
      throw new IllegalArgumentException(
          "%s weights of %s are not packed by backend %s: nothing to measure"
              .formatted(weights, shape, device.backend));
    }
    int count = countToFill(mebibytes, size.bytes());
    rowMajor = size.allocateRandom(device, count);
    packed = size.allocate(device, "packed weights", count, true);
  }

  /** Each of the weights. */
  @Benchmark
  public void pack(OpenDevice device, Bytes counter) {
    for (int i = 0; i < packed.size(); i++) {
      device.operations().pack(device.stream(), rowMajor.get(i), packed.get(i));
    }
    device.stream().synchronize();
    counter.add((double) size.bytes() * packed.size());
  }
}
