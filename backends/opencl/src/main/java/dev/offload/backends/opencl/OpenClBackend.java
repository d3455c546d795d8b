package dev.offload.backends.opencl;

import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceDescription;
import dev.offload.backends.api.DeviceOptions;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** Devices that OpenCL 1.2 reaches, numbered over all platforms in their order. */
public final class OpenClBackend implements Backend {
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
   * @throws IllegalArgumentException if there is no such device, or it has less memory
   */
  @Override
  public Device open(DeviceOptions options) {
    DeviceHandle device = device(options.index());
    if (options.memoryBytes() > device.memoryBytes()) {
      throw new IllegalArgumentException(
          "a budget of %d bytes is asked for, %s has %d"
              .formatted(options.memoryBytes(), device.name(), device.memoryBytes()));
    }
    OpenClContext context = OpenClContext.open(device);
    try {
      return new OpenClDevice(context, true, options, mayShareMemory);
    } catch (RuntimeException | Error e) {
      context.close();
      throw e;
    }
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
