package dev.offload.backends.benchmarks;

import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.Weight;
import dev.offload.tensors.DType;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * Format and sizes of a weight.
 *
 * @param outputs rows as stored
 * @param inputs columns as stored
 */
record WeightShape(DType dtype, int outputs, int inputs) {
  private static final Pattern SIZES = Pattern.compile("([1-9]\\d*)x([1-9]\\d*)");

  /** Where weights may begin, see {@link Weight}. */
  private static final long ALIGNMENT = 64;

  /**
   * A shape from its sizes as text.
   *
   * @param sizes outputs x inputs, such as {@code 5120x960}
   */
  static WeightShape parse(DType dtype, String sizes) {
    Matcher matcher = SIZES.matcher(sizes);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "shape '%s' is not outputs x inputs, such as 5120x960".formatted(sizes));
    }
    return new WeightShape(
        dtype, Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
  }

  /** Bytes of the numbers. */
  long bytes() {
    return (long) outputs * inputs * dtype.bytes();
  }

  /** Weights one after the other in one buffer, as the units of a model are, contents undefined. */
  List<Weight> allocate(OpenDevice device, String purpose, int count, boolean packed) {
    long size =
        packed
            ? device.operations().packedBytes(dtype, outputs, inputs)
            : (long) outputs * inputs * dtype.bytes();
    long step = Math.ceilDiv(size, ALIGNMENT) * ALIGNMENT;
    DeviceBuffer buffer = device.allocate(purpose, count * step);
    return IntStream.range(0, count)
        .mapToObj(i -> new Weight(buffer, i * step, dtype, outputs, inputs, packed))
        .toList();
  }

  /** Row-major weights of equal random numbers. */
  List<Weight> allocateRandom(OpenDevice device, int count) {
    DeviceBuffer numbers =
        device.randomMatrix("numbers of a weight", dtype, outputs, inputs).buffer();
    List<Weight> weights = allocate(device, "row-major weights", count, false);
    for (Weight weight : weights) {
      device.stream().copyOnDevice(numbers, 0, weight.buffer(), weight.offset(), bytes());
    }
    device.stream().synchronize();
    return weights;
  }
}
