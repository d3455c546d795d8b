package dev.offload.backends.opencl;

import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceDescription;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.kernels.KernelLauncher.Limits;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** Devices that OpenCL 1.2 reaches, numbered over all platforms in their order. */
public final class OpenClBackend implements Backend {
  /**
   * {@code true} or {@code false} in the place of what a device says of its local memory: products
   * by tiles in it, or without.
   */
  static final String LOCAL_MEMORY_PROPERTY = "offload.opencl.dedicatedLocalMemory";

  private final boolean mayShareMemory;

  /** Devices that compute on the host's processor use its memory where it is. */
  public OpenClBackend() {
    this(true);
  }

  private OpenClBackend(boolean mayShareMemory) {
    this.mayShareMemory = mayShareMemory;
  }

  /**
   * Every device keeps its memory apart from the host's, the processor too: what a GPU needs can be
   * tried where there is none.
   */
  public static OpenClBackend withSeparateMemory() {
    return new OpenClBackend(false);
  }

  @Override
  public String name() {
    return "opencl";
  }

  @Override
  public Optional<String> unusableReason() {
    return OpenClLibrary.unusableReason();
  }

  @Override
  public List<DeviceDescription> devices() {
    if (unusableReason().isPresent()) {
      return List.of();
    }
    List<DeviceHandle> devices = OpenClLibrary.devices();
    return IntStream.range(0, devices.size())
        .mapToObj(index -> devices.get(index).describe(index))
        .toList();
  }

  /**
   * Opens a device.
   *
   * @throws IllegalStateException if there is no OpenCL here
   * @throws IllegalArgumentException if there is no such device, or it has less memory, or the
   *     property {@value #LOCAL_MEMORY_PROPERTY} is neither true nor false
   */
  @Override
  public Device open(DeviceOptions options) {
    DeviceHandle device = device(options.index());
    if (options.memoryBytes() > device.memoryBytes()) {
      throw new IllegalArgumentException(
          "a budget of %d bytes is asked for, %s has %d"
              .formatted(options.memoryBytes(), device.name(), device.memoryBytes()));
    }
    Limits limits =
        limits(device.limits(), Optional.ofNullable(System.getProperty(LOCAL_MEMORY_PROPERTY)));
    OpenClContext context = OpenClContext.open(device);
    try {
      return new OpenClDevice(context, true, options, mayShareMemory, limits);
    } catch (RuntimeException | Error e) {
      context.close();
      throw e;
    }
  }

  /** Those of a device, but for what is said of its local memory. */
  static Limits limits(Limits device, Optional<String> dedicatedLocalMemory) {
    if (dedicatedLocalMemory.isEmpty()) {
      return device;
    }
    boolean dedicated =
        switch (dedicatedLocalMemory.get()) {
          case "true" -> true;
          case "false" -> false;
          case String other ->
              throw new IllegalArgumentException(
                  "-D%s is '%s', must be true or false".formatted(LOCAL_MEMORY_PROPERTY, other));
        };
    return new Limits(
        device.groupItems(),
        device.localBytes(),
        device.itemsTakeTurns(),
        device.computeUnits(),
        dedicated);
  }

  private static DeviceHandle device(int index) {
    List<DeviceHandle> devices = OpenClLibrary.devices();
    if (index >= devices.size()) {
      throw new IllegalArgumentException(
          "there is no OpenCL device %d; they are %s"
              .formatted(index, devices.stream().map(DeviceHandle::name).toList()));
    }
    return devices.get(index);
  }
}
