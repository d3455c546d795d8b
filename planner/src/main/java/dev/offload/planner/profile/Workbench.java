package dev.offload.planner.profile;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.Indices;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Operations;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.tensors.Conversion;
import dev.offload.tensors.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.SplittableRandom;

/**
 * A device with one stream, and operands in its memory. Owns the operands and the stream, not the
 * device. Used by one thread.
 */
final class Workbench implements AutoCloseable {
  /** Numbers drawn at random; larger operands repeat them. */
  private static final int DRAWN = 1 << 16;

  private final Device device;
  private final Stream stream;
  private final Deque<Runnable> releases = new ArrayDeque<>();

  Workbench(Device device) {
    this.device = device;
    this.stream = device.newStream("profile");
    releases.push(stream::close);
  }

  Device device() {
    return device;
  }

  Operations operations() {
    return device.operations();
  }

  Stream stream() {
    return stream;
  }

  /** One more stream. */
  Stream newStream() {
    Stream another = device.newStream("profile beside");
    releases.push(another::close);
    return another;
  }

  /** Weights that are closed with this. */
  WeightRing own(WeightRing opened) {
    releases.push(opened::close);
    return opened;
  }

  /** Device memory of undefined contents. */
  DeviceBuffer allocate(long bytes) {
    DeviceBuffer buffer = device.allocate("measuring", bytes);
    releases.push(buffer::close);
    return buffer;
  }

  /** Pinned memory, every page of it touched. */
  PinnedBuffer allocatePinned(long bytes) {
    PinnedBuffer buffer = device.allocatePinned("measuring", bytes);
    releases.push(buffer::close);
    buffer.segment().fill((byte) 1);
    return buffer;
  }

  /** Random numbers from -1 to 1. */
  Matrix random(DType dtype, int rows, int columns) {
    DeviceBuffer buffer = allocate((long) rows * columns * dtype.bytes());
    fill(buffer, dtype, (long) rows * columns);
    return Matrix.dense(buffer, 0, dtype, rows, columns);
  }

  /** Fills a buffer with random numbers from -1 to 1. */
  void fill(DeviceBuffer buffer, DType dtype, long count) {
    SplittableRandom random = new SplittableRandom(1);
    float[] drawn = new float[DRAWN];
    for (int i = 0; i < DRAWN; i++) {
      drawn[i] = (float) random.nextDouble(-1, 1);
    }
    try (PinnedBuffer pinned = device.allocatePinned("measuring", (long) DRAWN * dtype.bytes())) {
      Conversion.copy(
          MemorySegment.ofArray(drawn), 0, DType.F32, pinned.segment(), 0, dtype, DRAWN);
      for (long done = 0; done < count; done += DRAWN) {
        long bytes = Math.min(DRAWN, count - done) * dtype.bytes();
        stream.copyToDevice(pinned, 0, buffer, done * dtype.bytes(), bytes);
      }
      stream.synchronize();
    }
  }

  Indices indices(int[] values) {
    long bytes = (long) values.length * Integer.BYTES;
    DeviceBuffer buffer = allocate(bytes);
    try (PinnedBuffer pinned = device.allocatePinned("measuring", bytes)) {
      MemorySegment.copy(values, 0, pinned.segment(), ValueLayout.JAVA_INT, 0, values.length);
      stream.copyToDevice(pinned, 0, buffer, 0, bytes);
      stream.synchronize();
    }
    return new Indices(buffer, 0, values.length);
  }

  @Override
  public void close() {
    while (!releases.isEmpty()) {
      releases.pop().run();
    }
  }
}
