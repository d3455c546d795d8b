package dev.offload.planner.profile;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.backends.api.Weight;
import dev.offload.planner.profile.Shapes.MatrixSize;
import dev.offload.tensors.DType;
import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/**
 * Weights of one shape that are put into the order that products read, from memory to memory, so
 * many that no cache holds them. Owns its buffers. Not thread-safe.
 */
final class PackProbe implements AutoCloseable {
  /** Where weights may begin, see {@link Weight}. */
  private static final long ALIGNMENT = 64;

  private final Workbench bench;
  private final DType dtype;
  private final MatrixSize size;
  private final long plainBytes;
  private final long packedBytes;
  private final int count;
  private final DeviceBuffer plain;
  private final DeviceBuffer packed;
  private int next;

  /**
   * @param bytes of memory gone through
   */
  PackProbe(Device device, DType dtype, MatrixSize size, long bytes) {
    this.dtype = dtype;
    this.size = size;
    plainBytes = aligned(size.elements() * dtype.bytes());
    packedBytes = aligned(device.operations().packedBytes(dtype, size.outputs(), size.inputs()));
    count = (int) Math.max(2, bytes / (plainBytes + packedBytes));
    bench = new Workbench(device);
    try {
      plain = bench.allocate(count * plainBytes);
      packed = bench.allocate(count * packedBytes);
      bench.fill(plain, dtype, count * plainBytes / dtype.bytes());
    } catch (RuntimeException | Error e) {
      bench.close();
      throw e;
    }
  }

  private static long aligned(long bytes) {
    return Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
  }

  /** The largest weights that a device has an order of its own for, cut as products are. */
  static Optional<MatrixSize> largest(Device device, DType dtype, Collection<MatrixSize> sizes) {
    return sizes.stream()
        .filter(size -> device.operations().packs(dtype, size.outputs(), size.inputs()))
        .max(Comparator.comparingLong(MatrixSize::elements))
        .map(Profiler::cut);
  }

  Stream stream() {
    return bench.stream();
  }

  /** The next of the weights. */
  void pack() {
    next = (next + 1) % count;
    bench
        .operations()
        .pack(bench.stream(), weight(plain, plainBytes, false), weight(packed, packedBytes, true));
  }

  private Weight weight(DeviceBuffer all, long step, boolean ordered) {
    return new Weight(all, next * step, dtype, size.outputs(), size.inputs(), ordered);
  }

  /** What one of them reads and writes. */
  double bytes() {
    return (double) plainBytes + packedBytes;
  }

  @Override
  public void close() {
    bench.close();
  }
}
