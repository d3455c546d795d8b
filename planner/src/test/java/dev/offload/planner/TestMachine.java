package dev.offload.planner;

import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.hardware.HardwareProfile.CopyRate;
import dev.offload.planner.hardware.HardwareProfile.Disk;
import dev.offload.planner.hardware.HardwareProfile.Link;
import dev.offload.planner.hardware.HardwareProfile.Sharing;
import dev.offload.planner.hardware.Processor;
import dev.offload.tensors.DType;
import java.util.List;
import java.util.Map;

/** Machines with round figures; each setter gives another machine. */
public record TestMachine(
    long deviceMemory,
    long hostMemory,
    double linkRate,
    double diskRate,
    double flops,
    double deviceMemoryRate,
    double hostMemoryRate,
    double hostAttention,
    boolean deviceIsHost) {

  /** About a T4 in a host of 208 GiB. */
  public static TestMachine gpu() {
    return new TestMachine(15L << 30, 200L << 30, 12e9, 2e9, 40e12, 240e9, 100e9, 50e9, false);
  }

  /** Two cores. */
  public static TestMachine cpu() {
    return new TestMachine(4L << 30, 16L << 30, 8e9, 1.3e9, 150e9, 20e9, 25e9, 10e9, true);
  }

  public TestMachine withDeviceMemory(long bytes) {
    return new TestMachine(
        bytes,
        hostMemory,
        linkRate,
        diskRate,
        flops,
        deviceMemoryRate,
        hostMemoryRate,
        hostAttention,
        deviceIsHost);
  }

  public TestMachine withHostMemory(long bytes) {
    return new TestMachine(
        deviceMemory,
        bytes,
        linkRate,
        diskRate,
        flops,
        deviceMemoryRate,
        hostMemoryRate,
        hostAttention,
        deviceIsHost);
  }

  public TestMachine withLinkRate(double rate) {
    return new TestMachine(
        deviceMemory,
        hostMemory,
        rate,
        diskRate,
        flops,
        deviceMemoryRate,
        hostMemoryRate,
        hostAttention,
        deviceIsHost);
  }

  public TestMachine withDiskRate(double rate) {
    return new TestMachine(
        deviceMemory,
        hostMemory,
        linkRate,
        rate,
        flops,
        deviceMemoryRate,
        hostMemoryRate,
        hostAttention,
        deviceIsHost);
  }

  public TestMachine withHostMemoryRate(double rate) {
    return new TestMachine(
        deviceMemory,
        hostMemory,
        linkRate,
        diskRate,
        flops,
        deviceMemoryRate,
        rate,
        hostAttention,
        deviceIsHost);
  }

  public TestMachine withFlops(double rate) {
    return new TestMachine(
        deviceMemory,
        hostMemory,
        linkRate,
        diskRate,
        rate,
        deviceMemoryRate,
        hostMemoryRate,
        hostAttention,
        deviceIsHost);
  }

  public TestMachine withDeviceMemoryRate(double rate) {
    return new TestMachine(
        deviceMemory,
        hostMemory,
        linkRate,
        diskRate,
        flops,
        rate,
        hostMemoryRate,
        hostAttention,
        deviceIsHost);
  }

  public TestMachine withHostAttention(double rate) {
    return new TestMachine(
        deviceMemory,
        hostMemory,
        linkRate,
        diskRate,
        flops,
        deviceMemoryRate,
        hostMemoryRate,
        rate,
        deviceIsHost);
  }

  /** The profile. */
  public HardwareProfile profile() {
    Processor device =
        new Processor(
            deviceMemoryRate,
            deviceMemoryRate / 2,
            deviceMemoryRate / 2,
            5e-6,
            Map.of(DType.F16, flops, DType.BF16, flops, DType.F32, flops / 8),
            List.of(),
            deviceMemoryRate * 0.6,
            flops / 4);
    Processor host =
        new Processor(
            hostMemoryRate,
            hostMemoryRate / 2,
            hostMemoryRate / 2,
            2e-6,
            Map.of(DType.BF16, 1e12, DType.F16, 1e12, DType.F32, 1e12),
            List.of(),
            hostAttention,
            0.5e12);
    return new HardwareProfile(
        "test",
        "a machine of round figures",
        device,
        deviceMemory,
        new Link(new CopyRate(linkRate, 1e-5), new CopyRate(linkRate, 1e-5), 1.7 * linkRate),
        deviceIsHost ? device : host,
        hostMemory,
        new Sharing(hostMemoryRate, deviceIsHost ? 2 : 32, deviceIsHost),
        new Disk(1L << 41, diskRate, diskRate / 2),
        List.of());
  }
}
