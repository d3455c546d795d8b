package dev.offload.jobs;

import dev.offload.backends.api.Backend;
import dev.offload.backends.api.DeviceDescription;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;

/** Finds devices of the backends on the class path. */
final class DeviceFinder {
  /** The best GPU, or else the processor. */
  static final String AUTO = "auto";

  private static final String PROCESSOR = "cpu";

  /** A GPU that several backends reach is used through the first of these. */
  private static final List<String> PREFERRED = List.of("cuda", "opencl");

  private final List<Backend> backends;
  private final boolean mayHaveGpu;

  /**
   * @param mayHaveGpu whether it is worth the time to ask drivers for GPUs
   */
  DeviceFinder(List<Backend> backends, boolean mayHaveGpu) {
    this.backends = List.copyOf(backends);
    this.mayHaveGpu = mayHaveGpu;
  }

  /** All backends on the class path, on this machine. */
  static DeviceFinder here() {
    List<Backend> backends = new ArrayList<>();
    ServiceLoader.load(Backend.class).forEach(backends::add);
    return new DeviceFinder(backends, GpuNodes.mayHaveGpu());
  }

  /** The processor. */
  static FoundDevice processor() throws RefusedException {
    return here().find(PROCESSOR);
  }

  /** The backends, usable or not. */
  List<Backend> backends() {
    return backends;
  }

  /**
   * A backend by its name.
   *
   * @throws RefusedException if there is none
   */
  Backend backend(String name) throws RefusedException {
    for (Backend backend : backends) {
      if (backend.name().equals(name)) {
        return backend;
      }
    }
    throw new RefusedException(
        "there is no backend '%s'; there are %s"
            .formatted(name, backends.stream().map(Backend::name).toList()));
  }

  /**
   * A device as {@code --device} names it.
   *
   * @param name {@value #AUTO}, a backend, or a backend and the number of its device: {@code
   *     opencl:1}
   * @throws RefusedException if there is none, or its backend cannot be used
   */
  FoundDevice find(String name) throws RefusedException {
    if (name.equals(AUTO)) {
      return best();
    }
    int colon = name.indexOf(':');
    Backend backend = backend(colon < 0 ? name : name.substring(0, colon));
    Optional<String> reason = backend.unusableReason();
    if (reason.isPresent()) {
      throw new RefusedException("--device %s cannot be used: %s".formatted(name, reason.get()));
    }
    List<DeviceDescription> devices = backend.devices();
    String index = colon < 0 ? "0" : name.substring(colon + 1);
    return devices.stream()
        .filter(device -> Integer.toString(device.index()).equals(index))
        .findFirst()
        .map(device -> new FoundDevice(backend, device))
        .orElseThrow(
            () ->
                new RefusedException(
                    "--device %s: %s has no device '%s', but %s"
                        .formatted(name, backend.name(), index, describe(backend, devices))));
  }

  private static List<String> describe(Backend backend, List<DeviceDescription> devices) {
    return devices.stream()
        .map(device -> FoundDevice.label(backend, device.index()) + ", " + device.name())
        .toList();
  }

  /**
   * The GPU with the most memory of its own, through the most preferred backend that reaches any;
   * the processor where there is none. GPUs that compute in the host's memory, and drivers that
   * compute on the processor, are for those who name them.
   */
  private FoundDevice best() throws RefusedException {
    for (String name : mayHaveGpu ? PREFERRED : List.<String>of()) {
      for (Backend backend : backends) {
        if (backend.name().equals(name) && backend.unusableReason().isEmpty()) {
          Optional<DeviceDescription> gpu =
              backend.devices().stream()
                  .filter(device -> device.kind() == DeviceDescription.Kind.GPU)
                  .max(
                      Comparator.comparingLong(DeviceDescription::memoryBytes)
                          .thenComparing(DeviceDescription::index, Comparator.reverseOrder()));
          if (gpu.isPresent()) {
            return new FoundDevice(backend, gpu.get());
          }
        }
      }
    }
    return find(PROCESSOR);
  }
}
