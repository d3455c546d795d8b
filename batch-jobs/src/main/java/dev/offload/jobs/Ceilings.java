package dev.offload.jobs;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Stream;
import dev.offload.backends.api.Weight;
import dev.offload.tensors.DType;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The fastest a device multiplies matrices and streams weights, measured with nothing else going
 * on. Each may be measured any number of times; the best counts, because other programs on the
 * machine make single measurements slow. Not thread-safe.
 */
final class Ceilings {
  /** Rows of a product that is bound by arithmetic. */
  private static final int MANY_ROWS = 512;

  /** Larger weights, such as output heads, are measured in part. */
  private static final int MOST_OUTPUTS = 16_384;

  /** Weights that no cache holds. */
  private static final long STREAMED_BYTES = 256L << 20;

  private static final int STREAMED_COLUMNS = 4096;

  /** How long a product is repeated: other work on the machine makes single runs slow. */
  private static final long REPEAT_NANOS = 400_000_000;

  private static final int LEAST_REPEATS = 5;

  private final DType dtype;
  private final Map<Long, Double> secondsPerRow = new HashMap<>();
  private double bytesPerSecond;

  /**
   * @param dtype of the weights
   */
  Ceilings(DType dtype) {
    this.dtype = dtype;
  }

  /**
   * Measures products of many rows with a weight of this shape: in the format of the weights, and
   * in F32 in case the device, or the library that it uses, multiplies that faster.
   */
  void measureProduct(Device device, int outputs, int inputs) {
    int measured = Math.min(outputs, MOST_OUTPUTS);
    for (DType each : EnumSet.of(dtype, DType.F32)) {
      secondsPerRow.merge(
          shape(measured, inputs),
          seconds(device, each, MANY_ROWS, measured, inputs) / MANY_ROWS,
          Math::min);
    }
  }

  /** Measures how fast one row is multiplied with weights from memory. */
  void measureReading(Device device) {
    int outputs = (int) (STREAMED_BYTES / dtype.bytes() / STREAMED_COLUMNS);
    bytesPerSecond =
        Math.max(
            bytesPerSecond, STREAMED_BYTES / seconds(device, dtype, 1, outputs, STREAMED_COLUMNS));
  }

  /** Seconds that one row costs a weight of a measured shape when there are many rows. */
  double secondsPerRow(int outputs, int inputs) {
    int measured = Math.min(outputs, MOST_OUTPUTS);
    return secondsPerRow.get(shape(measured, inputs)) * outputs / measured;
  }

  /** Bytes of weights per second when one row is multiplied. */
  double bytesPerSecond() {
    return bytesPerSecond;
  }

  private static long shape(int outputs, int inputs) {
    return (long) outputs << 32 | inputs;
  }

  /** Fastest of several products of zeros. */
  private static double seconds(Device device, DType dtype, int rows, int outputs, int inputs) {
    DType input = device.operations().matrixInput(dtype);
    long weightBytes = (long) outputs * inputs * dtype.bytes();
    long packedBytes = device.operations().packedBytes(dtype, outputs, inputs);
    try (Closing buffers = new Closing()) {
      Stream stream = buffers.add(device.newStream("ceilings"));
      DeviceBuffer plain = zeros(device, buffers, stream, "weight", weightBytes);
      DeviceBuffer x =
          zeros(device, buffers, stream, "input", (long) rows * inputs * input.bytes());
      DeviceBuffer out =
          zeros(device, buffers, stream, "product", (long) rows * outputs * DType.F32.bytes());
      Weight weight = new Weight(plain, 0, dtype, outputs, inputs, false);
      if (device.operations().packs(dtype, outputs, inputs)) {
        DeviceBuffer packed = buffers.add(device.allocate("packed weight", packedBytes));
        Weight ordered = new Weight(packed, 0, dtype, outputs, inputs, true);
        device.operations().pack(stream, weight, ordered);
        weight = ordered;
      }
      return fastest(
          device,
          stream,
          Matrix.dense(x, 0, input, rows, inputs),
          weight,
          Matrix.dense(out, 0, DType.F32, rows, outputs));
    }
  }

  private static DeviceBuffer zeros(
      Device device, Closing buffers, Stream stream, String purpose, long bytes) {
    DeviceBuffer buffer = buffers.add(device.allocate(purpose, bytes));
    try (var pinned = device.allocatePinned(purpose, bytes)) {
      stream.copyToDevice(pinned, 0, buffer, 0, bytes);
      stream.synchronize();
    }
    return buffer;
  }

  private static double fastest(Device device, Stream stream, Matrix x, Weight weight, Matrix out) {
    long best = Long.MAX_VALUE;
    long end = System.nanoTime() + REPEAT_NANOS;
    for (int i = 0; i < LEAST_REPEATS || System.nanoTime() < end; i++) {
      long begin = System.nanoTime();
      device.operations().matmul(stream, x, weight, Optional.empty(), false, out);
      stream.synchronize();
      best = Math.min(best, System.nanoTime() - begin);
    }
    return best / 1e9;
  }
}
