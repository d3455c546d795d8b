package dev.offload.backends.benchmarks;

import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.PinnedBuffer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/** How fast bytes move between pinned and device memory. Counts the bytes that arrive. */
public class CopyBenchmark extends DeviceBenchmark {
  /** Bytes of one copy, in KiB. */
  @Param({"64", "1024", "65536"})
  public int kibibytes;

  /** Memory that a sweep copies. */
  @Param("256")
  public int mebibytes;

  private long copyBytes;
  private int count;
  private PinnedBuffer host;
  private DeviceBuffer device;

  /** Allocates both sides. */
  @Setup
  public void allocate(OpenDevice open) {
    copyBytes = kibibytes * 1024L;
    count = countToFill(mebibytes, copyBytes);
    host = open.allocatePinned("host side of copies", count * copyBytes);
    device = open.allocate("device side of copies", count * copyBytes);
    host.segment().fill((byte) 1);
  }

  /** From host to device. */
  @Benchmark
  public void toDevice(OpenDevice open, Bytes counter) {
    for (int i = 0; i < count; i++) {
      open.stream().copyToDevice(host, i * copyBytes, device, i * copyBytes, copyBytes);
    }
    open.stream().synchronize();
    counter.add((double) count * copyBytes);
  }

  /** From device to host. */
  @Benchmark
  public void toHost(OpenDevice open, Bytes counter) {
    for (int i = 0; i < count; i++) {
      open.stream().copyToHost(device, i * copyBytes, host, i * copyBytes, copyBytes);
    }
    open.stream().synchronize();
    counter.add((double) count * copyBytes);
  }
}
