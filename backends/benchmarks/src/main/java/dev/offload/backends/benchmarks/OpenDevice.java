package dev.offload.backends.benchmarks;

import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.api.Indices;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Operations;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.backends.api.Vector;
import dev.offload.tensors.Conversion;
import dev.offload.tensors.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.SplittableRandom;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * The device that is measured, with one stream, and operands in its memory. Owns all of them and
 * releases them in the end. Used by one thread.
 */
@State(Scope.Benchmark)
public class OpenDevice {
  private static final long MEMORY_BYTES = 6L << 30;
  private static final long PINNED_BYTES = 2L << 30;

  /** Name of the backend. */
  @Param("cpu")
  public String backend;

  /** Threads that compute; 0 means one per processor. */
  @Param("0")
  public int threads;

  private final SplittableRandom random = new SplittableRandom(1);
  private final List<DeviceBuffer> buffers = new ArrayList<>();
  private final List<PinnedBuffer> pinnedBuffers = new ArrayList<>();
  private Device device;
  private Stream stream;

  /**
   * Opens the device.
   *
   * @throws IllegalArgumentException if there is no such backend
   * @throws IllegalStateException if it cannot be used on this machine
   */
  @Setup
  public void open() {
    device = find().open(new DeviceOptions(0, MEMORY_BYTES, PINNED_BYTES, computingThreads()));
    stream = device.newStream("benchmark");
  }

  /** Threads that compute, at least 1. */
  int computingThreads() {
    return threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
  }

  private Backend find() {
    List<String> found = new ArrayList<>();
    for (Backend candidate : ServiceLoader.load(Backend.class)) {
      if (candidate.name().equals(backend)) {
        candidate
            .unusableReason()
            .ifPresent(
                reason -> {
                  throw new IllegalStateException(
                      "the backend " + backend + " cannot be used: " + reason);
                });
        return candidate;
      }
      found.add(candidate.name());
    }
    throw new IllegalArgumentException(
        "there is no backend '%s' on the class path; found are %s".formatted(backend, found));
  }

  /** Releases the operands, the stream and the device. */
  @TearDown
  public void close() {
    stream.close();
    buffers.forEach(DeviceBuffer::close);
    pinnedBuffers.forEach(PinnedBuffer::close);
    device.close();
  }

  Operations operations() {
    return device.operations();
  }

  Stream stream() {
    return stream;
  }

  /** As {@link dev.offload.backends.api.Operations#matrixInput}. */
  DType matrixInput(DType weights) {
    return device.operations().matrixInput(weights);
  }

  /** Device memory of undefined contents. */
  DeviceBuffer allocate(String purpose, long bytes) {
    DeviceBuffer buffer = device.allocate(purpose, bytes);
    buffers.add(buffer);
    return buffer;
  }

  /** Pinned memory full of zeros. */
  PinnedBuffer allocatePinned(String purpose, long bytes) {
    PinnedBuffer buffer = device.allocatePinned(purpose, bytes);
    pinnedBuffers.add(buffer);
    return buffer;
  }

  /** A matrix of undefined contents. */
  Matrix matrix(String purpose, DType dtype, int rows, int columns) {
    DeviceBuffer buffer = allocate(purpose, (long) rows * columns * dtype.bytes());
    return Matrix.dense(buffer, 0, dtype, rows, columns);
  }

  /** A matrix of random numbers from -1 to 1. */
  Matrix randomMatrix(String purpose, DType dtype, int rows, int columns) {
    Matrix matrix = matrix(purpose, dtype, rows, columns);
    fill(matrix.buffer(), dtype, (long) rows * columns);
    return matrix;
  }

  /** A vector of random numbers from -1 to 1. */
  Vector randomVector(String purpose, int length) {
    DeviceBuffer buffer = allocate(purpose, (long) length * Float.BYTES);
    fill(buffer, DType.F32, length);
    return new Vector(buffer, 0, length);
  }

  /** Indices in device memory. */
  Indices indices(String purpose, int[] values) {
    long bytes = (long) values.length * Integer.BYTES;
    DeviceBuffer buffer = allocate(purpose, bytes);
    try (PinnedBuffer pinned = device.allocatePinned(purpose, bytes)) {
      MemorySegment.copy(values, 0, pinned.segment(), ValueLayout.JAVA_INT, 0, values.length);
      upload(pinned, buffer, bytes);
    }
    return new Indices(buffer, 0, values.length);
  }

  private void fill(DeviceBuffer buffer, DType dtype, long count) {
    long bytes = count * dtype.bytes();
    try (Arena arena = Arena.ofConfined();
        PinnedBuffer pinned = device.allocatePinned("random numbers", bytes)) {
      MemorySegment numbers = arena.allocate(ValueLayout.JAVA_FLOAT, count);
      for (long i = 0; i < count; i++) {
        numbers.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextDouble(-1, 1));
      }
      Conversion.copy(numbers, 0, DType.F32, pinned.segment(), 0, dtype, count);
      upload(pinned, buffer, bytes);
    }
  }

  private void upload(PinnedBuffer from, DeviceBuffer to, long bytes) {
    stream.copyToDevice(from, 0, to, 0, bytes);
    stream.synchronize();
  }
}
