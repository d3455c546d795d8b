package dev.offload.backends.cpu;

import com.sun.management.OperatingSystemMXBean;
import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceDescription;
import dev.offload.backends.api.DeviceOptions;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Optional;

/** The processor as a device; always usable. */
public final class CpuBackend implements Backend {
  private static final System.Logger LOGGER = System.getLogger(CpuBackend.class.getName());

  private final MatrixProductChoice choice;

  /** Takes the fastest matrix products there are. */
  public CpuBackend() {
    this(MatrixProductChoice.AUTO);
  }

  CpuBackend(MatrixProductChoice choice) {
    this.choice = choice;
  }

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public Optional<String> unusableReason() {
    return Optional.empty();
  }

  @Override
  public List<DeviceDescription> devices() {
    OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    return List.of(
        new DeviceDescription(
            0,
            ProcessorName.read(),
            DeviceDescription.Kind.PROCESSOR,
            system.getTotalMemorySize(),
            system.getAvailableProcessors(),
            "%s on %s".formatted(system.getArch(), system.getName())));
  }

  /**
   * Opens the processor.
   *
   * @throws IllegalArgumentException if the index is not 0
   */
  @Override
  public Device open(DeviceOptions options) {
    if (options.index() != 0) {
      throw new IllegalArgumentException(
          "there is one CPU device, number 0, and no number " + options.index());
    }
    WorkerPool workers = new WorkerPool(options.threads());
    try {
      MatrixProduct product = newProduct(workers);
      return new CpuDevice(options, workers, product, new CpuOperations(workers, product));
    } catch (RuntimeException | Error e) {
      workers.close();
      throw e;
    }
  }

  private MatrixProduct newProduct(WorkerPool workers) {
    return switch (choice) {
      case VECTOR -> newVectorProduct(workers, "asked for");
      case ONEDNN -> {
        try {
          yield newOneDnnProduct(workers);
        } catch (IOException e) {
          throw new IllegalStateException(e.getMessage(), e);
        }
      }
      case AUTO -> newBestProduct(workers);
    };
  }

  private static MatrixProduct newBestProduct(WorkerPool workers) {
    try {
      return newOneDnnProduct(workers);
    } catch (IOException e) {
      LOGGER.log(
          Level.WARNING,
          "matrix products run in plain Java, up to a third slower: {0}",
          e.getMessage());
      return newVectorProduct(workers, e.getMessage());
    }
  }

  private static MatrixProduct newVectorProduct(WorkerPool workers, String reason) {
    return new PanelMatrixProduct(new VectorKernels(reason), workers);
  }

  private static MatrixProduct newOneDnnProduct(WorkerPool workers) throws IOException {
    PanelKernels kernels = new OneDnnKernels(Dnnl.open(DnnlFiles.userCache()));
    MatrixProduct product = new PanelMatrixProduct(kernels, workers);
    try {
      OneDnnCheck.run(product);
      return product;
    } catch (IOException | RuntimeException e) {
      product.close();
      throw e;
    }
  }
}
