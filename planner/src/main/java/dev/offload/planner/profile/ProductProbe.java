package dev.offload.planner.profile;

import dev.offload.backends.api.Device;
import dev.offload.planner.hardware.Processor.Product;
import dev.offload.planner.profile.Shapes.MatrixSize;
import dev.offload.tensors.DType;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** Matrix products by format, shape and rows. Not thread-safe. */
final class ProductProbe {
  /** What a single row reads when the rate of memory is asked for. */
  private static final int STREAMED_INPUTS = 4096;

  /** Output matrices are measured in part. */
  static final int MOST_OUTPUTS = 16_384;

  /** Time of few rows over that of more that nothing explains. */
  private static final double SUSPICIOUS = 1.05;

  private final Device device;
  private final Effort effort;
  private final Sampler sampler;
  private final List<Product> products = new ArrayList<>();
  private final Map<DType, Double> peaks = new EnumMap<>(DType.class);
  private double bytesPerSecond;

  ProductProbe(Device device, Effort effort, Sampler sampler) {
    this.device = device;
    this.effort = effort;
    this.sampler = sampler;
  }

  /** Measures all shapes in a format, unless the device cannot multiply it. */
  void measure(DType dtype, List<MatrixSize> sizes) {
    try {
      DType _ = device.operations().matrixInput(dtype);
    } catch (IllegalArgumentException e) {
      return; // what a device cannot multiply has no rate, and the profile says so by its absence
    }
    warmUp(dtype, sizes.getFirst());
    for (MatrixSize size : sizes) {
      measure(dtype, size);
    }
    stream(dtype);
  }

  /** Java compiles each kernel when it has run for a while. */
  private void warmUp(DType dtype, MatrixSize size) {
    try (WeightRing ring = ring(dtype, size, effort.streamedBytes() / 4)) {
      for (int rows : effort.rows()) {
        sampler.warmUp(ring.stream(), () -> ring.enqueue(ring.stream(), rows));
      }
    }
  }

  private void measure(DType dtype, MatrixSize size) {
    try (WeightRing ring = ring(dtype, size, effort.streamedBytes())) {
      double[] seconds = effort.rows().stream().mapToDouble(rows -> seconds(ring, rows)).toArray();
      for (int i = 0; i < seconds.length; i++) {
        int rows = effort.rows().get(i);
        seconds[i] = again(ring, seconds, i);
        products.add(new Product(dtype, size.outputs(), size.inputs(), rows, seconds[i]));
        peaks.merge(dtype, 2.0 * rows * size.elements() / seconds[i], Math::max);
        bytesPerSecond = Math.max(bytesPerSecond, ring.bytes(rows) / seconds[i]);
      }
    }
  }

  private double seconds(WeightRing ring, int rows) {
    return sampler.perItem(ring.stream(), () -> ring.enqueue(ring.stream(), rows));
  }

  /** Where more rows took less time, something else was going on: the least of another try. */
  private double again(WeightRing ring, double[] seconds, int i) {
    boolean slow = false;
    for (int more = i + 1; more < seconds.length; more++) {
      slow |= seconds[i] > SUSPICIOUS * seconds[more];
    }
    return slow ? Math.min(seconds[i], seconds(ring, effort.rows().get(i))) : seconds[i];
  }

  /** One row with a large weight: what memory gives. */
  private void stream(DType dtype) {
    int outputs =
        Math.clamp(effort.streamedBytes() / 2 / STREAMED_INPUTS / dtype.bytes(), 64, MOST_OUTPUTS);
    MatrixSize size = new MatrixSize(outputs, STREAMED_INPUTS);
    try (WeightRing ring = new WeightRing(device, dtype, size, 1, effort.streamedBytes())) {
      bytesPerSecond = Math.max(bytesPerSecond, ring.bytes(1) / seconds(ring, 1));
    }
  }

  private WeightRing ring(DType dtype, MatrixSize size, long bytes) {
    return new WeightRing(device, dtype, size, effort.rows().getLast(), bytes);
  }

  List<Product> products() {
    return products;
  }

  /** The best rate of each format. */
  Map<DType, Double> peaks() {
    return peaks;
  }

  /** The most that products read and wrote. */
  double bytesPerSecond() {
    return bytesPerSecond;
  }
}
