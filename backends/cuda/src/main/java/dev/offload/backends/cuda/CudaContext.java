package dev.offload.backends.cuda;

import dev.offload.backends.kernels.Launch;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * A device's context: the driver, the programs loaded in it, and cuBLAS if there is one.
 * Thread-safe. Closed after all in it.
 */
final class CudaContext implements AutoCloseable {
  /** Compute capability 8.0, the first whose tensor cores take BF16. */
  private static final int FIRST_BF16_ARCHITECTURE = 80;

  private final Driver driver;
  private final KernelCompiler compiler;
  private final Optional<Blas> blas;
  private final boolean tensorCores;
  private final long libraryBytes;
  private final Map<String, Driver.Module> modules = new HashMap<>();

  /**
   * Takes over the driver, which is closed if this fails.
   *
   * @param compilers makes a compiler for the device
   * @param libraries opens cuBLAS in the context, if there is one
   * @param tensorCores whether our kernels may use them
   */
  CudaContext(
      Driver driver,
      Function<Driver.Facts, KernelCompiler> compilers,
      BlasOpener libraries,
      boolean tensorCores) {
    this.driver = driver;
    try {
      this.tensorCores = tensorCores && driver.facts().architecture() >= FIRST_BF16_ARCHITECTURE;
      compiler = compilers.apply(driver.facts());
      long before = driver.freeBytes();
      blas = libraries.open(driver);
      libraryBytes = Math.max(0, before - driver.freeBytes());
    } catch (RuntimeException | Error e) {
      driver.close();
      throw e;
    }
  }

  /** Opens cuBLAS in a context; empty if there is none. */
  interface BlasOpener {
    Optional<Blas> open(Driver driver);
  }

  Driver driver() {
    return driver;
  }

  Optional<Blas> blas() {
    return blas;
  }

  /** Whether attention multiplies by tensor cores where it can. */
  boolean usesTensorCores() {
    return tensorCores;
  }

  /** Bytes of device memory that the context and the libraries have taken. */
  long overheadBytes() {
    return driver.contextBytes() + libraryBytes;
  }

  /** Versions, for reports. */
  String details() {
    Driver.Facts facts = driver.facts();
    return "compute capability %d.%d, driver for CUDA %d.%d, %s, %s"
        .formatted(
            facts.architecture() / 10,
            facts.architecture() % 10,
            facts.driverVersion() / 1000,
            facts.driverVersion() % 1000 / 10,
            compiler.version(),
            blas.map(Blas::version).orElse("no cuBLAS: products by the portable kernel"));
  }

  /** A kernel, compiled if need be. */
  synchronized Driver.Function function(Launch launch) {
    String program = launch.file() + launch.definitions();
    Driver.Module module = modules.get(program);
    if (module == null) {
      byte[] image = compiler.image(launch.file(), launch.definitions());
      module = driver.load(program, image);
      modules.put(program, module);
    }
    return driver.function(module, launch.kernel());
  }

  @Override
  public synchronized void close() {
    blas.ifPresent(library -> Releases.run("cuBLAS", library::close));
    List<Driver.Module> loaded = new ArrayList<>(modules.values());
    modules.clear();
    loaded.forEach(module -> Releases.run("a program", () -> driver.unload(module)));
    Releases.run("the context", driver::close);
  }
}
