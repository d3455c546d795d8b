package dev.offload.jobs;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.backends.api.Weight;
import dev.offload.tensors.DType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How fast a device multiplies matrices and streams weights, measured with nothing else going on.
 * Each may be measured any number of times. The best of all samples is what the device can do; on a
 * machine that others share it is reached for moments only, so what it does at the median is known
 * too. Not thread-safe.
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

  /** How long it is repeated before, so that its code is compiled. */
  private static final long WARM_UP_NANOS = 100_000_000;

  private static final int LEAST_REPEATS = 5;

  /** Shorter ones are done several times for a sample. */
  private static final long SAMPLE_NANOS = 5_000_000;

  /** Of pinned memory copied at once. */
  private static final long COPIED_BYTES = 64L << 20;

  private final DType dtype;
  private final Map<Product, Samples> productSeconds = new HashMap<>();
  private final Samples readingSeconds = new Samples();
  private final Samples copyingSeconds = new Samples();

  /** Which of the samples counts. */
  enum Level {
    /** The fastest. */
    BEST,
    /** The median. */
    USUAL
  }

  private record Product(DType dtype, int outputs, int inputs) {}

  /** Seconds of each run, ascending. */
  private static final class Samples {
    private final List<Double> seconds = new ArrayList<>();

    void add(List<Double> more) {
      seconds.addAll(more);
      Collections.sort(seconds);
    }

    double at(Level level) {
      return switch (level) {
        case BEST -> seconds.getFirst();
        case USUAL -> seconds.get(seconds.size() / 2);
      };
    }
  }

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
      productSeconds
          .computeIfAbsent(new Product(each, measured, inputs), _ -> new Samples())
          .add(seconds(device, each, MANY_ROWS, measured, inputs));
    }
  }

  /** Measures how fast one row is multiplied with weights from memory. */
  void measureReading(Device device) {
    int outputs = (int) (STREAMED_BYTES / dtype.bytes() / STREAMED_COLUMNS);
    readingSeconds.add(seconds(device, dtype, 1, outputs, STREAMED_COLUMNS));
  }

  /** Measures how fast pinned memory is copied to the device. */
  void measureCopying(Device device) {
    try (Closing buffers = new Closing()) {
      Stream stream = buffers.add(device.newStream("ceilings"));
      DeviceBuffer to = buffers.add(device.allocate("copy", COPIED_BYTES));
      PinnedBuffer from = buffers.add(device.allocatePinned("copy", COPIED_BYTES));
      from.segment().fill((byte) 1); // so that every page is there
      copyingSeconds.add(repeated(stream, () -> stream.copyToDevice(from, 0, to, 0, COPIED_BYTES)));
    }
  }

  /** Bytes of pinned memory copied to the device per second. */
  double copiedBytesPerSecond(Level level) {
    return COPIED_BYTES / copyingSeconds.at(level);
  }

  /** Seconds that one row costs a weight of a measured shape when there are many rows. */
  double secondsPerRow(int outputs, int inputs, Level level) {
    int measured = Math.min(outputs, MOST_OUTPUTS);
    double seconds = Double.POSITIVE_INFINITY;
    for (DType each : EnumSet.of(dtype, DType.F32)) {
      Product product = new Product(each, measured, inputs);
      seconds = Math.min(seconds, productSeconds.get(product).at(level));
    }
    return seconds / MANY_ROWS * outputs / measured;
  }

  /** Bytes of weights per second when one row is multiplied. */
  double bytesPerSecond(Level level) {
    return STREAMED_BYTES / readingSeconds.at(level);
  }

  /** What each of several products of zeros took. */
  private static List<Double> seconds(
      Device device, DType dtype, int rows, int outputs, int inputs) {
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
      Weight multiplied = weight;
      Matrix left = Matrix.dense(x, 0, input, rows, inputs);
      Matrix product = Matrix.dense(out, 0, DType.F32, rows, outputs);
      return repeated(
          stream,
          () ->
              device
                  .operations()
                  .matmul(stream, left, multiplied, Optional.empty(), false, product));
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

  /**
   * Seconds that some work takes. A device is told of so many at a time that waiting for them does
   * not count.
   */
  private static List<Double> repeated(Stream stream, Runnable work) {
    List<Double> seconds = new ArrayList<>();
    long begin = System.nanoTime();
    long now = begin;
    int count = 1;
    while (seconds.size() < LEAST_REPEATS || now - begin < WARM_UP_NANOS + REPEAT_NANOS) {
      for (int i = 0; i < count; i++) {
        work.run();
      }
      stream.synchronize();
      long end = System.nanoTime();
      if (now - begin >= WARM_UP_NANOS) {
        seconds.add((end - now) / 1e9 / count);
      } else if (end - now < SAMPLE_NANOS) {
        count *= 2;
      }
      now = end;
    }
    return seconds;
  }
}
