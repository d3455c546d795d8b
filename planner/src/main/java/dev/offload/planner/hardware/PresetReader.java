package dev.offload.planner.hardware;

import static dev.offload.planner.hardware.Quantity.BYTES;
import static dev.offload.planner.hardware.Quantity.BYTES_PER_SECOND;
import static dev.offload.planner.hardware.Quantity.COUNT;
import static dev.offload.planner.hardware.Quantity.FLOPS;
import static dev.offload.planner.hardware.Quantity.SECONDS;

import com.fasterxml.jackson.databind.JsonNode;
import dev.offload.planner.hardware.HardwareProfile.CopyRate;
import dev.offload.planner.hardware.HardwareProfile.Disk;
import dev.offload.planner.hardware.HardwareProfile.Link;
import dev.offload.planner.hardware.HardwareProfile.Sharing;
import dev.offload.tensors.DType;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * Makes a profile of an entry of presets.json: the measured figure where there is one, else the
 * peak times what others get of theirs, else an assumption. docs/hardware.md says where the ratios
 * come from.
 */
final class PresetReader {
  /** Least that cards of other makes get of their peak; 0.87 to 0.98. */
  private static final double MEMORY_SHARE = 0.87;

  /** Least that data-centre and workstation cards get in large products; 0.80 to 0.87. */
  private static final double PRODUCT_SHARE = 0.80;

  /** Cards whose F32 peak counts units twice (GA102 and later) get 0.6 to 0.7 of it. */
  private static final double DOUBLED_F32_SHARE = 0.6;

  /** Others 0.93 to 0.98. */
  private static final double F32_SHARE = 0.93;

  /** Peak of F16 over that of F32 below which the latter counts units twice. */
  private static final double DOUBLED_BELOW = 8;

  private static final double GEN4_SHARE = 0.8;
  private static final double GEN5_SHARE = 0.87;

  /** Both directions together over the sum of each alone: an A100 (PCIe 4) and an H200 (5). */
  private static final double BOTH_GEN4_SHARE = 0.72;

  private static final double BOTH_GEN5_SHARE = 0.92;

  /** Of its rate alone, what an A100 keeps to the host while the other direction suffers. */
  private static final double KEPT_TO_HOST = 0.96;

  /** Where the device's cores are the host's: until one of these goes on with what has come. */
  private static final double HAND_OVER_SECONDS = 3e-4;

  private static final double COPY_LATENCY = 2.5e-6;
  private static final double LAUNCH = 6e-6;
  private static final double ATTENTION_SHARE_OF_MEMORY = 0.8;
  private static final double ATTENTION_SHARE_OF_PRODUCTS = 0.47;
  private static final double HOST_BYTES_PER_CORE = 6e9;
  private static final double HOST_BYTES_OF_FEW_CORES = 25e9;
  private static final double HOST_BYTES_OF_ONE_CORE = 14e9;
  private static final double HOST_FLOPS_PER_CORE = 60e9;
  private static final double HOST_ATTENTION_PER_CORE = 3e9;
  private static final double HOST_ATTENTION_SHARE_OF_PRODUCTS = 0.5;
  private static final double HOST_LAUNCH = 1e-6;

  /** Norms, activations and the like on a processor. */
  private static final double ROWS_SHARE_OF_MEMORY = 0.5;

  /** Weights put into the order that products read. */
  private static final double PACKING_SHARE_OF_MEMORY = 0.3;

  private static final double HOST_COPY_SHARE = 0.4;
  private static final double HOST_COPY_LATENCY = 2e-7;
  private static final double HOST_COPY_BOTH_SHARE = 0.75;
  private static final double DISK_READ = 3.2e9;
  private static final double DISK_WRITE = 2.8e9;
  private static final double DISK_ROOM = 1e12;

  private final JsonNode entry;
  private final PresetFigures figures;

  PresetReader(JsonNode entry, JsonNode guessed) {
    this.entry = entry;
    figures = new PresetFigures(entry, guessed);
  }

  Preset read() {
    boolean deviceIsHost = entry.path("device").isNull();
    int cores = (int) figures.take("sharing.cores", "host.cores", COUNT).orElseThrow();
    long hostMemory =
        (long) figures.take("host.memory_bytes", "host.memory_bytes", BYTES).orElseThrow();
    Processor host = host("host", cores);
    Processor device = deviceIsHost ? host("device", cores) : device();
    HardwareProfile profile =
        new HardwareProfile(
            entry.path("name").textValue(),
            entry.path("title").textValue(),
            device,
            deviceIsHost ? regionOf(hostMemory) : deviceMemory(),
            deviceIsHost ? linkWithinHost(host.memoryBytesPerSecond()) : link(),
            host,
            hostMemory,
            sharing(cores, deviceIsHost),
            disk(),
            figures.assumptions());
    return new Preset(profile, figures.sources());
  }

  private Sharing sharing(int cores, boolean deviceIsHost) {
    double rate = hostMemoryRate("sharing.host_memory_bytes_per_s", cores);
    double ofOneCore =
        assume(
            "sharing.core_bytes_per_s",
            Math.min(rate, Math.max(rate / cores, HOST_BYTES_OF_ONE_CORE)),
            BYTES_PER_SECOND,
            "as one of an EPYC, and at least its part of the rate");
    double handOver =
        deviceIsHost
            ? assume("sharing.hand_over_s", HAND_OVER_SECONDS, SECONDS, "as on two busy cores")
            : assume("sharing.hand_over_s", 0, SECONDS, "small beside a device's work");
    double copyCores =
        deviceIsHost
            ? assume("sharing.copy_cores", cores, COUNT, "as products, which want all")
            : assume("sharing.copy_cores", 0, COUNT, "the device copies");
    return new Sharing(rate, ofOneCore, cores, copyCores, handOver, deviceIsHost);
  }

  // Device

  private long deviceMemory() {
    return (long) figures.take("device.memory_bytes", "device.memory_bytes", BYTES).orElseThrow();
  }

  private long regionOf(long hostMemory) {
    return (long)
        figures.assume("device.memory_bytes", hostMemory * 0.5, BYTES, "half of the host's memory");
  }

  private Processor device() {
    double memory = deviceMemoryRate();
    Map<DType, Double> peaks = devicePeaks();
    double products = peaks.getOrDefault(DType.BF16, peaks.getOrDefault(DType.F16, 0.0));
    return new Processor(
        memory,
        assume(
            "device.row_bytes_per_s",
            memory,
            BYTES_PER_SECOND,
            "the memory rate, which simple kernels reach"),
        assume(
            "device.pack_bytes_per_s",
            memory,
            BYTES_PER_SECOND,
            "the memory rate, which simple kernels reach"),
        figures
            .take("device.launch_s", "kernel_launch_s", SECONDS)
            .orElseGet(() -> assume("device.launch_s", LAUNCH, SECONDS, "as measured on an H200")),
        peaks,
        List.of(),
        assume(
            "device.attention_bytes_per_s",
            memory * ATTENTION_SHARE_OF_MEMORY,
            BYTES_PER_SECOND,
            ATTENTION_SHARE_OF_MEMORY + " of the memory rate"),
        assume(
            "device.attention_flops",
            products * ATTENTION_SHARE_OF_PRODUCTS,
            FLOPS,
            ATTENTION_SHARE_OF_PRODUCTS
                + " of the rate of matrix products, as FlexGen's constants for a T4 have it"));
  }

  private double deviceMemoryRate() {
    String field = "device.memory_bytes_per_s";
    String path = "device.memory_bandwidth_bytes_per_s.";
    return figures
        .take(field, path + "measured", BYTES_PER_SECOND)
        .orElseGet(
            () ->
                assume(
                    field,
                    MEMORY_SHARE * figures.peek(path + "peak").orElseThrow(),
                    BYTES_PER_SECOND,
                    MEMORY_SHARE + " of the peak; other cards get 0.87 to 0.98"));
  }

  private Map<DType, Double> devicePeaks() {
    Map<DType, Double> peaks = new EnumMap<>(DType.class);
    for (DType dtype : DType.values()) {
      OptionalDouble peak = figures.peek(path(dtype) + "peak");
      if (peak.isPresent()) {
        peaks.put(dtype, productRate(dtype, peak.getAsDouble()));
      }
    }
    return peaks;
  }

  private double productRate(DType dtype, double peak) {
    String field = "device.peak_flops." + dtype;
    OptionalDouble measured = figures.peek(path(dtype) + "measured");
    if (measured.isPresent() && measured.getAsDouble() > peak) {
      return assume(
          field,
          peak,
          FLOPS,
          FLOPS.format(measured.getAsDouble()) + " were measured above the rated clock: the peak");
    }
    return figures
        .take(field, path(dtype) + "measured", FLOPS)
        .orElseGet(
            () ->
                dtype == DType.F32
                    ? unmeasuredF32(field, peak)
                    : unmeasured16Bit(field, dtype, peak));
  }

  private double unmeasuredF32(String field, double peak) {
    double f16 = figures.peek(path(DType.F16) + "peak").orElse(0);
    double share = f16 < DOUBLED_BELOW * peak ? DOUBLED_F32_SHARE : F32_SHARE;
    return assume(field, share * peak, FLOPS, share + " of the peak, as cards of its kind get");
  }

  /** The two formats are multiplied by the same units where both peaks are equal. */
  private double unmeasured16Bit(String field, DType dtype, double peak) {
    String other = path(dtype == DType.F16 ? DType.BF16 : DType.F16);
    OptionalDouble measured = figures.peek(other + "measured");
    if (measured.isPresent() && figures.peek(other + "peak").equals(OptionalDouble.of(peak))) {
      return assume(
          field,
          Math.min(peak, measured.getAsDouble()),
          FLOPS,
          "as measured with the other 16-bit format, whose peak is the same");
    }
    return assume(
        field,
        PRODUCT_SHARE * peak,
        FLOPS,
        PRODUCT_SHARE + " of the peak; other cards get 0.80 to 0.87");
  }

  private static String path(DType dtype) {
    return switch (dtype) {
      case F32 -> "device.flops.fp32.";
      case F16 -> "device.flops.fp16.";
      case BF16 -> "device.flops.bf16.";
    };
  }

  // Link

  private Link link() {
    double toDevice = toDevice();
    double toHost =
        figures
            .take(
                "link.to_host.bytes_per_s",
                "link.device_to_host_measured_bytes_per_s",
                BYTES_PER_SECOND)
            .orElseGet(
                () ->
                    assume(
                        "link.to_host.bytes_per_s",
                        toDevice,
                        BYTES_PER_SECOND,
                        "as to the device"));
    return new Link(
        new CopyRate(toDevice, latency("link.to_device.latency_s")),
        new CopyRate(toHost, latency("link.to_host.latency_s")),
        both(toDevice, toHost));
  }

  private double toDevice() {
    String field = "link.to_device.bytes_per_s";
    double share = isGen5() ? GEN5_SHARE : GEN4_SHARE;
    return figures
        .take(field, "link.host_to_device_measured_bytes_per_s", BYTES_PER_SECOND)
        .orElseGet(
            () ->
                assume(
                    field,
                    share * figures.peek("link.peak_bytes_per_s").orElseThrow(),
                    BYTES_PER_SECOND,
                    "%s of the peak of PCIe %.0f x%.0f, as other cards get"
                        .formatted(
                            share,
                            figures.peek("link.pcie_generation").orElseThrow(),
                            figures.peek("link.lanes").orElseThrow())));
  }

  /** What a link without a generation, which is newer, is closest to. */
  private boolean isGen5() {
    return figures.peek("link.pcie_generation").orElse(5) >= 5;
  }

  private double latency(String field) {
    double large = figures.peek("link.host_to_device_measured_bytes_per_s").orElse(0);
    JsonNode smallest = entry.path("link").path("by_piece_size").path(0);
    if (smallest.isMissingNode()) {
      return assume(
          field,
          COPY_LATENCY,
          SECONDS,
          "as measured on an H200: pieces of 64 KiB at 17.8 GB/s and of 1 MiB at 48.5 against"
              + " 55.4");
    }
    double bytes = smallest.path("piece_bytes").doubleValue();
    double seconds = bytes / smallest.path("bytes_per_s").doubleValue() - bytes / large;
    return figures.source(field, seconds, SECONDS, "link.by_piece_size[64 KiB]");
  }

  private double both(double toDevice, double toHost) {
    String field = "link.both_bytes_per_s";
    OptionalDouble down = figures.peek("both_by_direction.host_to_device");
    if (down.isPresent()) {
      double up = figures.peek("both_by_direction.device_to_host").orElseThrow();
      return figures.source(
          field, down.getAsDouble() + up, BYTES_PER_SECOND, "link.both_measured_bytes_per_s");
    }
    OptionalDouble slower = figures.peek("link.both_measured_bytes_per_s");
    if (slower.isPresent()) {
      return assume(
          field,
          slower.getAsDouble() + KEPT_TO_HOST * toHost,
          BYTES_PER_SECOND,
          "%s to the device were measured; %s of the rate alone to the host, as an A100 keeps"
              .formatted(BYTES_PER_SECOND.format(slower.getAsDouble()), KEPT_TO_HOST));
    }
    double share = isGen5() ? BOTH_GEN5_SHARE : BOTH_GEN4_SHARE;
    return assume(
        field,
        share * (toDevice + toHost),
        BYTES_PER_SECOND,
        "%s of the sum of both, as %s gets"
            .formatted(share, isGen5() ? "an H200" : "an A100 80 GB"));
  }

  private Link linkWithinHost(double memory) {
    CopyRate toDevice = copyWithinHost("link.to_device.", memory);
    CopyRate toHost = copyWithinHost("link.to_host.", memory);
    double both =
        assume(
            "link.both_bytes_per_s",
            HOST_COPY_BOTH_SHARE * (toDevice.bytesPerSecond() + toHost.bytesPerSecond()),
            BYTES_PER_SECOND,
            HOST_COPY_BOTH_SHARE + " of the sum of both, as measured on an EPYC");
    return new Link(toDevice, toHost, both);
  }

  private CopyRate copyWithinHost(String field, double memory) {
    return new CopyRate(
        assume(
            field + "bytes_per_s",
            HOST_COPY_SHARE * memory,
            BYTES_PER_SECOND,
            HOST_COPY_SHARE + " of the memory rate, as measured on an EPYC of two cores"),
        assume(field + "latency_s", HOST_COPY_LATENCY, SECONDS, "as measured on an EPYC"));
  }

  // Host

  /**
   * The host's cores.
   *
   * @param role of the two that they may have, {@code host} or {@code device}
   */
  private Processor host(String role, int cores) {
    double memory = hostMemoryRate(role + ".memory_bytes_per_s", cores);
    Map<DType, Double> peaks = hostPeaks(role, cores);
    return new Processor(
        memory,
        assume(
            role + ".row_bytes_per_s",
            memory * ROWS_SHARE_OF_MEMORY,
            BYTES_PER_SECOND,
            ROWS_SHARE_OF_MEMORY + " of the memory rate, as measured on an EPYC"),
        assume(
            role + ".pack_bytes_per_s",
            memory * PACKING_SHARE_OF_MEMORY,
            BYTES_PER_SECOND,
            PACKING_SHARE_OF_MEMORY + " of the memory rate, as measured on an EPYC"),
        assume(role + ".launch_s", HOST_LAUNCH, SECONDS, "as measured on an EPYC of two cores"),
        peaks,
        List.of(),
        assume(
            role + ".attention_bytes_per_s",
            Math.min(cores * HOST_ATTENTION_PER_CORE, ATTENTION_SHARE_OF_MEMORY * memory),
            BYTES_PER_SECOND,
            "3 GB/s per core, as measured on an EPYC with 4 query heads per head of keys, and no"
                + " more than 0.8 of the memory rate"),
        assume(
            role + ".attention_flops",
            peaks.get(DType.F32) * HOST_ATTENTION_SHARE_OF_PRODUCTS,
            FLOPS,
            HOST_ATTENTION_SHARE_OF_PRODUCTS
                + " of the rate of matrix products, as measured on an EPYC"));
  }

  private double hostMemoryRate(String field, int cores) {
    return figures
        .take(field, "host.memory_bandwidth_bytes_per_s", BYTES_PER_SECOND)
        .orElseGet(
            () ->
                assume(
                    field,
                    Math.max(HOST_BYTES_OF_FEW_CORES, cores * HOST_BYTES_PER_CORE),
                    BYTES_PER_SECOND,
                    "6 GB/s per core, as a whole EPYC 9554 gives, and at least 25 GB/s"));
  }

  /** What the CPU backend computes: other formats are widened to F32. */
  private Map<DType, Double> hostPeaks(String role, int cores) {
    String field = role + ".peak_flops.";
    double f32 =
        figures
            .take(field + DType.F32, "host.flops.fp32.measured", FLOPS)
            .orElseGet(
                () ->
                    assume(
                        field + DType.F32,
                        cores * HOST_FLOPS_PER_CORE,
                        FLOPS,
                        "60 GFLOP/s per core, as a whole EPYC 9554 gives"));
    Map<DType, Double> peaks = new EnumMap<>(DType.class);
    peaks.put(DType.F32, f32);
    for (DType dtype : List.of(DType.F16, DType.BF16)) {
      peaks.put(dtype, assume(field + dtype, f32, FLOPS, "widened to F32 and multiplied as that"));
    }
    return peaks;
  }

  // Disk

  private Disk disk() {
    double room =
        figures
            .take("disk.free_bytes", "disk.free_bytes", BYTES)
            .orElseGet(() -> assume("disk.free_bytes", DISK_ROOM, BYTES, "1 TB"));
    double reads =
        figures
            .take("disk.read_bytes_per_s", "disk.read_bytes_per_s", BYTES_PER_SECOND)
            .orElseGet(
                () ->
                    assume(
                        "disk.read_bytes_per_s",
                        DISK_READ,
                        BYTES_PER_SECOND,
                        "as the H200's cloud machine, four readers"));
    double lone =
        assume(
            "disk.lone_read_bytes_per_s",
            reads,
            BYTES_PER_SECOND,
            "large reads of a single reader are taken to keep the disk busy");
    double busy =
        assume(
            "disk.busy_read_bytes_per_s", reads, BYTES_PER_SECOND, "as without products beside it");
    double cores =
        assume(
            "disk.read_cores",
            Disk.USUAL_CORE_SECONDS_PER_BYTE * reads,
            COUNT,
            "half a core for each GB/s, as measured on an EPYC");
    double writes =
        figures
            .take("disk.write_bytes_per_s", "disk.write_bytes_per_s", BYTES_PER_SECOND)
            .orElseGet(
                () ->
                    assume(
                        "disk.write_bytes_per_s",
                        DISK_WRITE,
                        BYTES_PER_SECOND,
                        "as the H200's cloud machine"));
    return new Disk((long) room, reads, lone, busy, cores, writes);
  }

  private double assume(String field, double value, Quantity quantity, String reason) {
    return figures.assume(field, value, quantity, reason);
  }
}
