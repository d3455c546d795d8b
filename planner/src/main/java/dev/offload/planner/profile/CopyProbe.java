package dev.offload.planner.profile;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.planner.hardware.HardwareProfile.CopyRate;
import dev.offload.planner.hardware.HardwareProfile.Link;
import dev.offload.planner.hardware.Quantity;
import dev.offload.tensors.ByteSize;
import java.util.ArrayList;
import java.util.List;

/** Copies between pinned memory and a device. Owns its buffers. Not thread-safe. */
final class CopyProbe implements AutoCloseable {
  private final Workbench bench;
  private final Sampler sampler;
  private final long bytes;
  private final PinnedBuffer host;
  private final DeviceBuffer device;
  private long next;

  CopyProbe(Device device, Effort effort, Sampler sampler) {
    this.sampler = sampler;
    this.bytes = effort.streamedBytes();
    bench = new Workbench(device);
    try {
      this.host = bench.allocatePinned(bytes);
      this.device = bench.allocate(bytes);
      bench.stream().copyToDevice(host, 0, this.device, 0, bytes); // so that every page is there
      bench.stream().synchronize();
    } catch (RuntimeException | Error e) {
      bench.close();
      throw e;
    }
  }

  /** Rates each way, alone and together. */
  Link measure(List<Long> sizes, List<Figure> figures) {
    sampler.warmUp(bench.stream(), () -> enqueue(bench.stream(), sizes.getFirst(), true));
    CopyRate toDevice = fit("to the device", sizes, true, figures);
    CopyRate toHost = fit("to the host", sizes, false, figures);
    double both = together(sizes.getLast());
    figures.add(
        new Figure(
            "copies both ways", ByteSize.format(sizes.getLast()), both, Quantity.BYTES_PER_SECOND));
    return new Link(toDevice, toHost, both);
  }

  private CopyRate fit(String way, List<Long> sizes, boolean toDevice, List<Figure> figures) {
    List<Double> seconds = new ArrayList<>();
    for (long size : sizes) {
      double each = sampler.perItem(bench.stream(), () -> enqueue(bench.stream(), size, toDevice));
      seconds.add(each);
      figures.add(
          new Figure(
              "copies " + way, ByteSize.format(size), size / each, Quantity.BYTES_PER_SECOND));
    }
    return fit(sizes, seconds);
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

  /** Copies a piece to the device; each behind the one before. */
  void enqueue(Stream stream, long size, boolean toDevice) {
    long offset = next + size > bytes ? 0 : next;
    next = offset + size;
    if (toDevice) {
      stream.copyToDevice(host, offset, device, offset, size);
    } else {
      stream.copyToHost(device, offset, host, offset, size);
    }
  }

  /** Bytes per second of both directions, in halves of the memory. */
  private double together(long size) {
    Stream down = bench.stream();
    Stream up = bench.newStream();
    long piece = Math.min(size, bytes / 2);
    double seconds =
        sampler.perItem(
            count -> {
              for (int i = 0; i < count; i++) {
                down.copyToDevice(host, 0, device, 0, piece);
                up.copyToHost(device, bytes - piece, host, bytes - piece, piece);
              }
              down.synchronize();
              up.synchronize();
            });
    return 2 * piece / seconds;
  }

  Stream stream() {
    return bench.stream();
  }

  @Override
  public void close() {
    bench.close();
  }
}
