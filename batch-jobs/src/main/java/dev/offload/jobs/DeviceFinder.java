package dev.offload.jobs;

import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;

/** Finds and opens devices of the backends on the class path. */
final class DeviceFinder {
  private DeviceFinder() {}

  /**
   * Opens the first device of a backend.
   *
   * @param name of the backend, such as {@code cpu}
   */
  static Device open(String name, MachineOptions machine) throws RefusedException {
    return open(name, machine.deviceMemory(), machine.hostMemory(), machine.threads());
  }

  /**
   * Opens the first device of a backend with budgets in bytes.
   *
   * @param name of the backend, such as {@code cpu}
   */
  static Device open(String name, long deviceBytes, long hostBytes, int threads)
      throws RefusedException {
    DeviceOptions options = new DeviceOptions(0, deviceBytes, hostBytes, threads);
    List<String> found = new ArrayList<>();
    for (Backend backend : ServiceLoader.load(Backend.class)) {
      if (backend.name().equals(name)) {
        return open(backend, options);
      }
      found.add(backend.name());
    }
    throw new RefusedException(
        "there is no backend '" + name + "' on the class path; found are " + found);
  }

  private static Device open(Backend backend, DeviceOptions options) throws RefusedException {
    Optional<String> reason = backend.unusableReason();
    if (reason.isPresent()) {
      throw new RefusedException(
          "the backend " + backend.name() + " cannot be used: " + reason.get());
    }
    try {
      return backend.open(options);
    } catch (IllegalArgumentException e) {
      throw new RefusedException(e.getMessage(), e);
    }
  }
}
