package dev.offload.backends.opencl;

import java.util.List;
import java.util.Optional;
import org.lwjgl.opencl.CL;
import org.lwjgl.system.Configuration;

/** The loader of OpenCL drivers on this machine, looked for once. */
final class OpenClLibrary {
  private static final Optional<String> MISSING = load();

  private OpenClLibrary() {}

  private static Optional<String> load() {
    Configuration.OPENCL_EXPLICIT_INIT.set(true);
    try {
      CL.create();
      return Optional.empty();
    } catch (UnsatisfiedLinkError | IllegalStateException e) {
      return Optional.of(
          "there is no OpenCL loader (%s); install ocl-icd-libopencl1 and the driver of the device"
              .formatted(e.getMessage()));
    }
  }

  /** Why there is no device, with the remedy; empty if there is one. */
  static Optional<String> unusableReason() {
    if (MISSING.isPresent()) {
      return MISSING;
    }
    return DeviceHandle.all().isEmpty()
        ? Optional.of(
            "OpenCL finds no device; install the driver of the device, or pocl-opencl-icd to run on the processor")
        : Optional.empty();
  }

  /**
   * All devices.
   *
   * @throws IllegalStateException if there is none
   */
  static List<DeviceHandle> devices() {
    unusableReason()
        .ifPresent(
            reason -> {
              throw new IllegalStateException(reason);
            });
    return DeviceHandle.all();
  }
}
