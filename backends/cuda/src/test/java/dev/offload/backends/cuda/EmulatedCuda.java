package dev.offload.backends.cuda;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.kernels.ProgramCache;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Devices of this backend where there is none: all but the driver and cuBLAS is what a GPU would
 * run, kernels included, which g++ compiles. For tests of other modules.
 */
public final class EmulatedCuda {
  private EmulatedCuda() {}

  /**
   * Opens one. The caller closes it.
   *
   * @param folder for compiled kernels
   * @return empty if there is no g++ on the PATH
   */
  public static Optional<Device> open(DeviceOptions options, Path folder) {
    return EmulatedKernels.findCompiler()
        .map(compiler -> open(options, folder, new EmulatedKernels(compiler, folder)));
  }

  private static Device open(DeviceOptions options, Path folder, EmulatedKernels kernels) {
    FakeDriver driver = new FakeDriver();
    driver.runner = kernels;
    CudaContext context =
        new CudaContext(
            driver,
            facts ->
                new KernelCompiler(
                    kernels, new ProgramCache(folder.resolve("cache")), facts.architecture()),
            opened -> Optional.empty(),
            true);
    return CudaDevice.open(context, options);
  }
}
