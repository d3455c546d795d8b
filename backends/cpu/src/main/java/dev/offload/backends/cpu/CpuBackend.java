package dev.offload.backends.cpu;

import com.sun.management.OperatingSystemMXBean;
import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceDescription;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.api.MemoryBudget;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Optional;

/** The processor as a device; always usable. */
public final class CpuBackend implements Backend {
  private static final System.Logger LOGGER = System.getLogger(CpuBackend.class.getName());

  /**
   * Whether oneDNN multiplied right in this process, which takes longer to find out than to open.
   */
  private static volatile boolean oneDnnIsRight;

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
    MemoryBudget budget = new MemoryBudget("device", options.memoryBytes());
    try {
      MatrixProduct product = newProduct(workers, budget);
      CpuOperations operations = new CpuOperations(workers, product, budget);
      return new CpuDevice(options, budget, workers, product, operations);
    } catch (RuntimeException | Error e) {
      workers.close();
      throw e;
    }
  }

  private MatrixProduct newProduct(WorkerPool workers, MemoryBudget budget) {
    return switch (choice) {
      case VECTOR -> newVectorProduct(workers, budget, "asked for");
      case ONEDNN -> {
        try {
          yield newOneDnnProduct(workers, budget);
        } catch (IOException e) {
          throw new IllegalStateException(e.getMessage(), e);
        }
      }
      case AUTO -> newBestProduct(workers, budget);
    };
  }

  private static MatrixProduct newBestProduct(WorkerPool workers, MemoryBudget budget) {
    try {
      return newOneDnnProduct(workers, budget);
    } catch (IOException e) {
      LOGGER.log(
          Level.WARNING,
          "matrix products run in plain Java, up to a third slower: {0}",
          e.getMessage());
      return newVectorProduct(workers, budget, e.getMessage());
    }
  }

  private static MatrixProduct newVectorProduct(
      WorkerPool workers, MemoryBudget budget, String reason) {
    return new PanelMatrixProduct(new VectorKernels(reason, budget), workers, budget);
  }

  /** A product whose library has been checked, by the first device of the process. */
  private static MatrixProduct newOneDnnProduct(WorkerPool workers, MemoryBudget budget)
      throws IOException {
    if (!oneDnnIsRight) {
      try (MatrixProduct checked =
          openOneDnn(workers, new MemoryBudget("checking oneDNN", Long.MAX_VALUE))) {
        OneDnnCheck.run(checked);
      }
      oneDnnIsRight = true;
    }
    return openOneDnn(workers, budget);
  }

  private static MatrixProduct openOneDnn(WorkerPool workers, MemoryBudget budget)
      throws IOException {
    PanelKernels kernels = new OneDnnKernels(Dnnl.open(DnnlFiles.userCache()), budget);
    return new PanelMatrixProduct(kernels, workers, budget);
  }
}
