package dev.offload.backends.cuda;

import dev.offload.backends.api.Allocations;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.DeviceFacts;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.api.MemoryBudget;
import dev.offload.backends.api.Operations;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.backends.kernels.KernelLauncher;
import dev.offload.backends.kernels.KernelOperations;
import dev.offload.backends.kernels.Launch;
import dev.offload.tensors.ByteSize;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A device with one allocation of memory, which it gives out, and a budget of pinned memory. What
 * streams compute in is beside the budget but in the allocation.
 */
final class CudaDevice implements Device, KernelLauncher {
  private static final System.Logger LOGGER = System.getLogger(CudaDevice.class.getName());

  /** Streams that can compute at a time without taking from the budget. */
  private static final int COMPUTING_STREAMS = 2;

  /** What rounding pieces to pages costs: room for some hundred of them. */
  private static final long ROUNDING_BYTES = 2L << 20;

  /** Kernels, ours and those of cuBLAS, which the driver loads when they first run. */
  private static final long KERNEL_BYTES = 160L << 20;

  private final CudaContext context;
  private final boolean ownsContext;
  private final DeviceFacts facts;
  private final Limits limits;
  private final MemoryBudget deviceBudget;
  private final MemoryBudget pinnedBudget;
  private final DevicePool pool;
  private final CudaResources resources;
  private final Workspaces workspaces;
  private final Operations operations;
  private final Set<CudaStream> streams = ConcurrentHashMap.newKeySet();
  private final Allocations allocations;
  private volatile boolean closed;

  /**
   * Takes the memory. The overhead of context and libraries comes beside the budget.
   *
   * @param ownsContext whether closing the device closes the context
   */
  CudaDevice(CudaContext context, boolean ownsContext, DeviceOptions options) {
    this.context = context;
    this.ownsContext = ownsContext;
    Driver driver = context.driver();
    limits =
        new Limits(
            driver.facts().threadsPerBlock(),
            driver.facts().sharedBytesPerBlock(),
            false,
            driver.facts().multiprocessors(),
            false); // one memory is both, and cuBLAS multiplies
    deviceBudget = new MemoryBudget("device", options.memoryBytes());
    pinnedBudget = new MemoryBudget("host", options.pinnedBytes());
    allocations = new Allocations(deviceBudget, pinnedBudget);
    facts =
        new DeviceFacts(
            driver.facts().name(),
            options.memoryBytes(),
            driver.facts().multiprocessors(),
            false,
            context.details());
    pool = new DevicePool(driver, options.memoryBytes() + setAsideBytes());
    List<CudaBuffer> first = new ArrayList<>();
    for (int i = 0; i < COMPUTING_STREAMS; i++) {
      long address = pool.take("scratch", Workspaces.BYTES);
      first.add(new CudaBuffer(address, Workspaces.BYTES, () -> {}));
    }
    workspaces = new Workspaces(first, purpose -> (CudaBuffer) allocate(purpose, Workspaces.BYTES));
    try {
      resources = new CudaResources(context, new PinnedMemory(driver));
    } catch (RuntimeException | Error e) {
      pool.close();
      throw e;
    }
    operations = new KernelOperations(this, context.blas().map(CublasProducts::new));
  }

  /**
   * What a device takes of the memory beside its budget: context and libraries, kernels that are
   * loaded later, what streams compute in.
   */
  static long overheadBytes(CudaContext context) {
    return context.overheadBytes() + KERNEL_BYTES + setAsideBytes() + DevicePool.ALIGNMENT;
  }

  private static long setAsideBytes() {
    return COMPUTING_STREAMS * Workspaces.BYTES + ROUNDING_BYTES;
  }

  /**
   * A device that closes the context with itself, and if it refuses.
   *
   * @throws IllegalArgumentException if the device has less memory free
   */
  static CudaDevice open(CudaContext context, DeviceOptions options) {
    try {
      Driver driver = context.driver();
      long room = driver.freeBytes() - KERNEL_BYTES - setAsideBytes() - DevicePool.ALIGNMENT;
      if (options.memoryBytes() > room) {
        throw new IllegalArgumentException(
            "a budget of %s is asked for; of the %s of %s %s can be had, beside %s for the driver, libraries, kernels and scratch; ask for less --device-memory, or look with nvidia-smi who uses the device"
                .formatted(
                    ByteSize.format(options.memoryBytes()),
                    ByteSize.format(driver.facts().memoryBytes()),
                    driver.facts().name(),
                    ByteSize.format(Math.max(0, room)),
                    ByteSize.format(overheadBytes(context))));
      }
      return new CudaDevice(context, true, options);
    } catch (RuntimeException | Error e) {
      context.close();
      throw e;
    }
  }

  @Override
  public DeviceFacts facts() {
    return facts;
  }

  @Override
  public DeviceBuffer allocate(String purpose, long bytes) {
    requireOpen();
    return allocations.allocate(
        purpose,
        bytes,
        release -> {
          long address = pool.take(purpose, bytes);
          return new CudaBuffer(
              address,
              bytes,
              () -> {
                pool.give(address, bytes);
                release.run();
              });
        });
  }

  @Override
  public PinnedBuffer allocatePinned(String purpose, long bytes) {
    requireOpen();
    return allocations.allocatePinned(
        purpose, bytes, release -> resources.pinned().allocate(purpose, bytes, release));
  }

  @Override
  public Optional<PinnedBuffer> tryPin(String purpose, MemorySegment memory) {
    requireOpen();
    if (!context.driver().facts().pinsReadOnly()) {
      LOGGER.log(
          Level.WARNING, "{0} cannot pin memory of files, such as {1}", facts.name(), purpose);
      return Optional.empty();
    }
    try {
      return Optional.of(
          allocations.pin(
              purpose, memory, release -> resources.pinned().pinReadOnly(memory, release)));
    } catch (CudaException e) {
      if (e.isSticky()) {
        throw e;
      }
      LOGGER.log(
          Level.WARNING,
          "{0} of {1} cannot be pinned where they are: {2}. Linux pins no pages of some file systems, and a limit of "
              + "locked memory may forbid it (ulimit -l)",
          ByteSize.format(memory.byteSize()),
          purpose,
          e.failure());
      return Optional.empty();
    }
  }

  @Override
  public DeviceBuffer wrap(PinnedBuffer buffer) {
    throw new IllegalStateException(facts.name() + " has memory of its own");
  }

  @Override
  public Stream newStream(String name) {
    requireOpen();
    long status = pool.take("the status of stream " + name, StatusSlots.SLOT_BYTES);
    try {
      CudaStream[] self = new CudaStream[1];
      self[0] =
          new CudaStream(
              name,
              resources,
              status,
              workspaces,
              () -> {
                pool.give(status, StatusSlots.SLOT_BYTES);
                streams.remove(self[0]);
              });
      streams.add(self[0]);
      return self[0];
    } catch (RuntimeException | Error e) {
      pool.give(status, StatusSlots.SLOT_BYTES);
      throw e;
    }
  }

  @Override
  public Limits limits() {
    return limits;
  }

  @Override
  public boolean hasTensorCores() {
    return context.usesTensorCores();
  }

  @Override
  public void launch(Stream stream, Launch launch) {
    CudaStream.of(stream).launch(launch);
  }

  @Override
  public DeviceBuffer scratch(Stream stream) {
    return CudaStream.of(stream).workspace().scratch();
  }

  @Override
  public long allocatedBytes() {
    return deviceBudget.allocated();
  }

  @Override
  public long peakBytes() {
    return deviceBudget.peak();
  }

  @Override
  public long allocatedPinnedBytes() {
    return pinnedBudget.allocated();
  }

  @Override
  public long peakPinnedBytes() {
    return pinnedBudget.peak();
  }

  @Override
  public Operations operations() {
    return operations;
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    List.copyOf(streams).forEach(CudaDevice::closeLeaked);
    allocations.releaseLeaked();
    resources.close();
    Releases.run("device memory", pool::close);
    if (ownsContext) {
      context.close();
    }
  }

  private static void closeLeaked(CudaStream stream) {
    LOGGER.log(Level.WARNING, "stream {0} was not closed before its device", stream.name());
    try {
      stream.close();
    } catch (IllegalStateException e) {
      LOGGER.log(Level.WARNING, e.getMessage());
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the device is closed");
    }
    resources.requireAlive();
  }
}
