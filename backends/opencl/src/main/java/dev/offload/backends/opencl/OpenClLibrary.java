package dev.offload.backends.opencl;

import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.util.List;
import java.util.Optional;
import org.lwjgl.opencl.CL;
import org.lwjgl.system.Configuration;

/** The loader of OpenCL drivers on this machine, looked for once. */
final class OpenClLibrary {
  private static final Optional<String> MISSING = load();

  private OpenClLibrary() {}

  private static Optional<String> load() {
    String library = libraryName();
    // LWJGL would print that it found nothing.
    try (Arena arena = Arena.ofConfined()) {
      SymbolLookup.libraryLookup(library, arena);
    } catch (IllegalArgumentException e) {
      return Optional.of(
          "there is no OpenCL loader, %s; install ocl-icd-libopencl1 and the driver of the device"
              .formatted(library));
    }
    Configuration.MEMORY_BACKEND.set("ffm");
    Configuration.OPENCL_EXPLICIT_INIT.set(true);
    CL.create(library);
    return Optional.empty();
  }

  /** On Linux the name without a number comes with headers for compilers only. */
  private static String libraryName() {
    String system = System.getProperty("os.name");
    if (system.startsWith("Windows")) {
      return "OpenCL.dll";
    }
    return system.startsWith("Mac")
        ? "/System/Library/Frameworks/OpenCL.framework/OpenCL"
        : "libOpenCL.so.1";
  }

  /** Why there is no device, with the remedy; empty if there is one. */
  static Optional<String> unusableReason() {
    if (MISSING.isPresent()) {
      return MISSING;
    }
    List<String> platforms = DeviceHandle.platformNames();
    if (platforms.isEmpty()) {
      return Optional.of(
          "OpenCL is there and no driver is, as none has a file in /etc/OpenCL/vendors; install the driver of the device, or pocl-opencl-icd to run on the processor");
    }
    return DeviceHandle.all().isEmpty()
        ? Optional.of(
            "the OpenCL drivers %s find no device; see whether it is there and whether this user may open it (in /dev/dri: groups video and render)"
                .formatted(platforms))
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
