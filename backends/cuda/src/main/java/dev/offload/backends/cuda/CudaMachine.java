package dev.offload.backends.cuda;

import dev.offload.backends.kernels.ProgramCache;
import java.lang.System.Logger.Level;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What this machine has of what the backend needs, and how a device is opened with it. */
final class CudaMachine {
  private static final System.Logger LOGGER = System.getLogger(CudaMachine.class.getName());

  /** Folders with cuBLAS and NVRTC, apart by {@code :}; a toolkit's folder will do. */
  static final String LIBRARIES_PROPERTY = "offload.cuda.libraries";

  /** {@code false} leaves attention to the portable kernel everywhere. */
  static final String TENSOR_CORES_PROPERTY = "offload.cuda.tensorCores";

  private static final List<String> NVRTC_NEEDS = List.of("libnvrtc-builtins.so");
  private static final List<String> CUBLAS_NEEDS = List.of("libcublasLt.so");

  private CudaMachine() {}

  /** Why no device can be used, with the remedy; empty if one can. */
  static Optional<String> unusableReason() {
    String system = System.getProperty("os.name") + " on " + System.getProperty("os.arch");
    if (!system.equals("Linux on amd64")) {
      return Optional.of("the CUDA backend runs on Linux on x86-64 only, not on " + system);
    }
    LibCuda driver;
    try {
      driver = LibCuda.open();
    } catch (IllegalArgumentException e) {
      return Optional.of(
          "there is no NVIDIA driver: %s is not found; install the driver (nvidia-smi then lists the devices), or start the container with --gpus all. Of its libraries %s"
              .formatted(LibCuda.NAME, found(libraries())));
    }
    try {
      if (driver.countDevices() == 0) {
        return Optional.of("the NVIDIA driver sees no device; CUDA_VISIBLE_DEVICES may hide it");
      }
      return openNvrtc(libraries(), driver.driverVersion()).isPresent()
          ? Optional.empty()
          : Optional.of(nvrtcMissing(driver.driverVersion()));
    } catch (IllegalStateException e) {
      return Optional.of(e.getMessage());
    }
  }

  /** Which libraries there are for a driver that knows them all. */
  static String found(CudaLibraries libraries) {
    return Stream.of("nvrtc", "cublas")
        .map(
            name ->
                libraries
                    .find(name, Integer.MAX_VALUE)
                    .map(file -> name + " is " + file)
                    .orElse(name + " is not found"))
        .collect(Collectors.joining(" and "));
  }

  private static String nvrtcMissing(int driverVersion) {
    List<String> names = CudaLibraries.names("nvrtc", driverVersion);
    if (names.isEmpty()) {
      return "the NVIDIA driver is for CUDA %d.%d; install one for CUDA 12 or later"
          .formatted(driverVersion / 1000, driverVersion % 1000 / 10);
    }
    return "NVRTC, which compiles the kernels, is missing (%s); install it, for example with pip install %s, and name its folder in -D%s=... or LD_LIBRARY_PATH if it is not found"
        .formatted(
            String.join(" or ", names),
            driverVersion >= 13_000 ? "nvidia-cuda-nvrtc" : "nvidia-cuda-nvrtc-cu12",
            LIBRARIES_PROPERTY);
  }

  private static CudaLibraries libraries() {
    return CudaLibraries.of(
        System.getProperty(LIBRARIES_PROPERTY, ""),
        System.getenv(),
        Path.of(System.getProperty("user.home")));
  }

  private static Optional<SymbolLookup> openNvrtc(CudaLibraries libraries, int driverVersion) {
    return libraries.open("nvrtc", driverVersion, NVRTC_NEEDS);
  }

  /** The context of a device. The caller closes it. */
  static CudaContext openContext(int index) {
    unusableReason()
        .ifPresent(
            reason -> {
              throw new IllegalStateException(reason);
            });
    LibCuda library = LibCuda.open();
    int count = library.countDevices();
    if (index >= count) {
      throw new IllegalArgumentException(
          "there is no CUDA device %d; there are %d, numbered from 0".formatted(index, count));
    }
    int version = library.driverVersion();
    CudaLibraries libraries = libraries();
    Nvrtc compiler = new Nvrtc(openNvrtc(libraries, version).orElseThrow());
    Driver driver = new JcudaDriver(library, index);
    return new CudaContext(
        driver,
        facts -> new KernelCompiler(compiler, ProgramCache.ofUser("cuda"), facts.architecture()),
        opened -> openBlas(libraries, version, opened),
        !System.getProperty(TENSOR_CORES_PROPERTY, "true").equals("false"));
  }

  private static Optional<Blas> openBlas(CudaLibraries libraries, int version, Driver driver) {
    Optional<SymbolLookup> found = libraries.open("cublas", version, CUBLAS_NEEDS);
    if (found.isEmpty()) {
      LOGGER.log(
          Level.WARNING,
          "cuBLAS is missing ({0}): matrix products take the portable kernel, which is many times slower; install it, "
              + "for example with pip install {1}, and name its folder in -D{2}=... or LD_LIBRARY_PATH if it is not found",
          String.join(" or ", CudaLibraries.names("cublas", version)),
          version >= 13_000 ? "nvidia-cublas" : "nvidia-cublas-cu12",
          LIBRARIES_PROPERTY);
    }
    return found.map(lookup -> new Cublas(driver, lookup));
  }
}
