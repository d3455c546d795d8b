package dev.offload.jobs;

import com.sun.management.OperatingSystemMXBean;
import dev.offload.jobs.plan.ShapePlanner;
import dev.offload.tensors.ByteSize;
import dev.offload.tensors.DType;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** Options about formats and budgets, the same for every command that computes or plans. */
class BudgetOptions {
  /** Shares of the machine's memory that are used if nothing is said. */
  private static final double DEVICE_SHARE = 0.5;

  private static final double HOST_SHARE = 0.25;

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      defaultValue = DeviceFinder.AUTO,
      description = {
        "What computes: auto, cpu, or a backend and the number of its device, such as opencl:0"
            + " (offload devices lists them).",
        "Default: auto, which is the GPU with the most memory of its own, or else cpu."
      })
  private String device = DeviceFinder.AUTO;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  private FoundDevice found;
  private Long deviceBudget;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      defaultValue = "auto",
      description = {
        "Number format of matrix products: auto (the checkpoint's), float32, float16 or"
            + " bfloat16.",
        "Default: auto."
      })
  ComputeType dtype = ComputeType.auto;

  @Option(
      names = "--device-memory",
      paramLabel = "SIZE",
      converter = Bytes.class,
      description = {
        "Most memory of the device, such as 16GiB; never exceeded. On the CPU the device is a"
            + " region of RAM.",
        "Default: half of the machine's memory; of a GPU's own memory 94 %%."
      })
  private Long deviceMemory;

  @Option(
      names = "--host-memory",
      paramLabel = "SIZE",
      converter = Bytes.class,
      description = {
        "Most pinned host memory, such as 64GiB; never exceeded.",
        "Default: a quarter of the machine's memory; beside a GPU with its own 85 %%."
      })
  private Long hostMemory;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = {"CPU threads that compute.", "Default: all cores."})
  private Integer threads;

  @Option(
      names = "--temp",
      paramLabel = "DIR",
      description = {
        "Folder for temporary files: KV cache of preempted rows, and the random weights of bench"
            + " that the budgets leave to the disk.",
        "Default: the system's temporary folder."
      })
  private Path temporary;

  /** What {@code --dtype} may be. */
  @SuppressWarnings("checkstyle:ConstantName")
  enum ComputeType {
    auto(Optional.empty()),
    float32(Optional.of(DType.F32)),
    float16(Optional.of(DType.F16)),
    bfloat16(Optional.of(DType.BF16));

    private final Optional<DType> dtype;

    ComputeType(Optional<DType> dtype) {
      this.dtype = dtype;
    }
  }

  /** Number format of matrix products; absent means the checkpoint's. */
  final Optional<DType> computeDType() {
    return dtype.dtype;
  }

  /** Budget of device memory as given. */
  final OptionalLong givenDeviceMemory() {
    return deviceMemory == null ? OptionalLong.empty() : OptionalLong.of(deviceMemory);
  }

  /** Budget of host memory as given. */
  final OptionalLong givenHostMemory() {
    return hostMemory == null ? OptionalLong.empty() : OptionalLong.of(hostMemory);
  }

  /**
   * The device that is asked for; looked for once.
   *
   * @throws RefusedException if it is not there
   */
  final FoundDevice device() throws RefusedException {
    if (found == null) {
      found = DeviceFinder.here().find(device);
      if (!found.isProcessor()) {
        caution();
      }
    }
    return found;
  }

  private void caution() {
    command
        .commandLine()
        .getErr()
        .printf(
            "%1$s is %2$s. This version was tested without a GPU: let 'offload doctor --device=%1$s'"
                + " check it first, or use --device=cpu%n",
            found.label(), found.description().name());
  }

  /**
   * Budget to open the device with: what is asked for, less what its driver and libraries take.
   *
   * @throws RefusedException if they take it all
   */
  final long deviceMemory() throws RefusedException {
    if (deviceBudget == null) {
      long asked = deviceMemory != null ? deviceMemory : usualDeviceMemory();
      deviceBudget =
          less(
              "--device-memory",
              asked,
              device().overheadBytes(),
              "the driver of " + device().label());
    }
    return deviceBudget;
  }

  private long usualDeviceMemory() throws RefusedException {
    return device().hasOwnMemory()
        ? (long) (ShapePlanner.CARD_SHARE * device().description().memoryBytes())
        : (long) (DEVICE_SHARE * machineMemory());
  }

  /**
   * Budget of the device's pinned host memory: what is asked for, less what the processor works in
   * beside the device.
   *
   * @throws RefusedException if that is all of it
   */
  final long hostMemory() throws RefusedException {
    double share = device().hasOwnMemory() ? ShapePlanner.HOST_SHARE : HOST_SHARE;
    long asked = hostMemory != null ? hostMemory : (long) (share * machineMemory());
    long taken = device().isProcessor() ? 0 : OpenedDevices.HOST_SCRATCH_BYTES;
    return less("--host-memory", asked, taken, "computing on the host");
  }

  private static long less(String option, long asked, long taken, String by)
      throws RefusedException {
    if (taken > 0 && taken >= asked) {
      throw new RefusedException(
          "%s is %s, of which %s takes %s; give more"
              .formatted(option, ByteSize.format(asked), by, ByteSize.format(taken)));
    }
    return asked - taken;
  }

  /** Refuses values that no machine has, and a folder that is none. */
  final void check() throws RefusedException {
    if (threads != null && threads < 1) {
      throw new RefusedException("--threads is " + threads + ", must be at least 1");
    }
    if (temporary != null && !Files.isDirectory(temporary)) {
      throw new RefusedException("--temp " + temporary + " is no folder; make it or name another");
    }
  }

  /** Tells whoever gave the options of something that does not stop the command. */
  final void warn(String message) {
    command.commandLine().getErr().println("warning: " + message);
  }

  final int threads() {
    return threads != null ? threads : Runtime.getRuntime().availableProcessors();
  }

  /** Folder for temporary files. */
  final Path temporary() {
    return temporary != null ? temporary : Path.of(System.getProperty("java.io.tmpdir"));
  }

  /** Memory of the machine, or of the container this runs in. */
  static long machineMemory() {
    return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
  }

  /** Reads amounts of memory. */
  static final class Bytes implements ITypeConverter<Long> {
    @Override
    public Long convert(String text) {
      try {
        return ByteSize.parse(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }
}
