package dev.offload.planner.profile;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Operations;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.backends.api.Weight;
import dev.offload.planner.profile.Shapes.MatrixSize;
import dev.offload.tensors.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Weights of one shape that are multiplied in turn, so many that no cache holds them. Owns its
 * buffers. Not thread-safe.
 */
final class WeightRing implements AutoCloseable {
  /** Where weights may begin, see {@link Weight}. */
  private static final long ALIGNMENT = 64;

  private final Workbench bench;
  private final MatrixSize size;
  private final DType input;
  private final DType dtype;
  private final List<Weight> weights = new ArrayList<>();
  private Matrix x;
  private Matrix out;
  private long imageBytes;
  private int next;

  /**
   * @param mostRows rows of the widest product
   * @throws IllegalArgumentException if the device cannot multiply such weights
   */
  WeightRing(Device device, DType dtype, MatrixSize size, int mostRows, long bytes) {
    this.size = size;
    this.dtype = dtype;
    input = device.operations().matrixInput(dtype);
    bench = new Workbench(device);
    try {
      fill(bytes);
      x = bench.random(input, mostRows, size.inputs());
      out = Matrix.dense(allocateOut(mostRows), 0, DType.F32, mostRows, size.outputs());
    } catch (RuntimeException | Error e) {
      bench.close();
      throw e;
    }
  }

  private DeviceBuffer allocateOut(int rows) {
    return bench.allocate((long) rows * size.outputs() * DType.F32.bytes());
  }

  private void fill(long bytes) {
    Operations operations = bench.operations();
    int outputs = size.outputs();
    int inputs = size.inputs();
    boolean packs = operations.packs(dtype, outputs, inputs);
    imageBytes = packs ? operations.packedBytes(dtype, outputs, inputs) : weightBytes();
    long step = Math.ceilDiv(imageBytes, ALIGNMENT) * ALIGNMENT;
    int count = (int) Math.max(2, Math.ceilDiv(bytes, step));
    DeviceBuffer all = bench.allocate(count * step);
    for (int i = 0; i < count; i++) {
      weights.add(new Weight(all, i * step, dtype, outputs, inputs, packs));
    }
    if (packs) {
      DeviceBuffer plain = bench.allocate(weightBytes());
      bench.fill(plain, dtype, size.elements());
      Weight rowMajor = new Weight(plain, 0, dtype, outputs, inputs, false);
      operations.pack(bench.stream(), rowMajor, weights.getFirst());
    } else {
      bench.fill(all, dtype, size.elements());
    }
    for (int i = 1; i < count; i++) {
      bench.stream().copyOnDevice(all, 0, all, i * step, imageBytes);
    }
    bench.stream().synchronize();
  }

  /** Multiplies rows with one of the weights. */
  void enqueueOf(Stream stream, int which, int rows) {
    next = which;
    enqueueAgain(stream, rows);
  }

  /** Multiplies rows with the next of the weights. */
  void enqueue(Stream stream, int rows) {
    next = (next + 1) % weights.size();
    enqueueAgain(stream, rows);
  }

  /** Multiplies rows with the next of so many weights, each of which comes again soon. */
  void enqueueAmong(Stream stream, int count, int rows) {
    next = (next + 1) % Math.clamp(count, 1, weights.size());
    enqueueAgain(stream, rows);
  }

  /** Multiplies rows with the same weights as before. */
  void enqueueAgain(Stream stream, int rows) {
    Weight weight = weights.get(next);
    bench
        .operations()
        .matmul(stream, x.rows(0, rows), weight, Optional.empty(), false, out.rows(0, rows));
  }

  /** Copies into one of the weights. */
  void enqueueCopy(Stream stream, PinnedBuffer from, long offset, int to) {
    Weight weight = weights.get(to);
    stream.copyToDevice(from, offset, weight.buffer(), weight.offset(), imageBytes);
  }

  Stream stream() {
    return bench.stream();
  }

  /** Bytes of one weight as the device has it. */
  long imageBytes() {
    return imageBytes;
  }

  /** Bytes of one weight. */
  long weightBytes() {
    return size.elements() * dtype.bytes();
  }

  /** Bytes that a product reads and writes. */
  double bytes(int rows) {
    return weightBytes()
        + (double) rows * (size.inputs() * input.bytes() + size.outputs() * DType.F32.bytes());
  }

  @Override
  public void close() {
    bench.close();
  }
}
