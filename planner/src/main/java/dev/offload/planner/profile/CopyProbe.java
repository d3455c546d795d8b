package dev.offload.planner.profile;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.planner.hardware.HardwareProfile.CopyRate;
import dev.offload.planner.hardware.HardwareProfile.CopyRate.Piece;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/** Copies between pinned memory and a device. Owns its buffers. Not thread-safe. */
final class CopyProbe implements AutoCloseable {
  private final Workbench bench;
  private final long bytes;
  private final long ringBytes;
  private final PinnedBuffer host;
  private final DeviceBuffer device;
  private final Stream up;
  private long next;
  private long turn;

  /**
   * @param bytes gone through, so that no cache holds it
   * @param ringBytes of them that copies to the device are made to, each piece to its own place
   */
  CopyProbe(Device device, long bytes, long ringBytes) {
    this.bytes = bytes;
    this.ringBytes = Math.min(bytes, ringBytes);
    bench = new Workbench(device);
    try {
      this.host = bench.allocatePinned(bytes);
      this.device = bench.allocate(bytes);
      this.up = bench.newStream();
      bench.stream().copyToDevice(host, 0, this.device, 0, bytes); // so that every page is there
      bench.stream().synchronize();
    } catch (RuntimeException | Error e) {
      bench.close();
      throw e;
    }
  }

  /**
   * The line {@code latency + bytes / rate} whose relative errors have the least squares; through
   * the origin if the latency would be negative.
   */
  static CopyRate fit(List<Long> sizes, List<Double> seconds) {
    // With u = 1/t and v = bytes/t, the sum of (latency·u + slope·v - 1)² is to be least.
    double uu = 0;
    double uv = 0;
    double vv = 0;
    double u1 = 0;
    double v1 = 0;
    for (int i = 0; i < sizes.size(); i++) {
      double u = 1 / seconds.get(i);
      double v = sizes.get(i) / seconds.get(i);
      uu += u * u;
      uv += u * v;
      vv += v * v;
      u1 += u;
      v1 += v;
    }
    double determinant = uu * vv - uv * uv;
    double latency = determinant > 0 ? (u1 * vv - v1 * uv) / determinant : 0;
    double slope = determinant > 0 ? (v1 * uu - u1 * uv) / determinant : 0;
    return latency >= 0 && slope > 0 ? new CopyRate(1 / slope, latency) : new CopyRate(vv / v1, 0);
  }

  /**
   * That line, and what was measured.
   *
   * @param cores that want to copy pieces of each size
   * @param kept how much of each size caches keep
   */
  static CopyRate rate(
      List<Long> sizes, List<Double> seconds, List<Double> cores, List<Double> kept) {
    CopyRate line = fit(sizes, seconds);
    return new CopyRate(
        line.bytesPerSecond(),
        line.latencySeconds(),
        IntStream.range(0, sizes.size())
            .mapToObj(i -> new Piece(sizes.get(i), seconds.get(i), cores.get(i), kept.get(i)))
            .toList());
  }

  Stream stream() {
    return bench.stream();
  }

  /** Enqueues a copy of the next piece to the device. */
  void toDevice(long size) {
    long offset = next(size);
    long places = Math.max(1, ringBytes / size);
    bench.stream().copyToDevice(host, offset, device, offset / size % places * size, size);
  }

  /** Enqueues a copy of the next piece to the host. */
  void toHost(long size) {
    long offset = next(size);
    bench.stream().copyToHost(device, offset, host, offset, size);
  }

  private long next(long size) {
    long offset = next + size > bytes ? 0 : next;
    next = offset + size;
    return offset;
  }

  /** Copies a piece each way, so many times, in halves of the memory. */
  IntConsumer both(long size) {
    long piece = bothBytes(size) / 2;
    long pieces = bytes / 2 / piece;
    return count -> {
      for (int i = 0; i < count; i++) {
        long offset = turn++ % pieces * piece;
        bench.stream().copyToDevice(host, offset, device, offset, piece);
        up.copyToHost(device, bytes / 2 + offset, host, bytes / 2 + offset, piece);
      }
      bench.stream().synchronize();
      up.synchronize();
    };
  }

  /** What {@link #both} copies each time, both ways. */
  long bothBytes(long size) {
    return 2 * Math.min(size, bytes / 2);
  }

  @Override
  public void close() {
    bench.close();
  }
}
