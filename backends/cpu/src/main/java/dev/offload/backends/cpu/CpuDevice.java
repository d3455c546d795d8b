package dev.offload.backends.cpu;

import dev.offload.backends.api.Allocations;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.DeviceFacts;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.api.MemoryBudget;
import dev.offload.backends.api.Operations;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.tensors.HostMemory;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;

/**
 * The processor and two budgeted regions of RAM, one that plays device memory and one of pinned
 * memory. Both are ordinary memory, so {@link #wrap} works; all else behaves as on a device with
 * memory of its own, asynchronous copies included.
 */
final class CpuDevice implements Device {
  private static final System.Logger LOGGER = System.getLogger(CpuDevice.class.getName());

  private final DeviceFacts facts;
  private final WorkerPool workers;
  private final MatrixProduct product;
  private final Operations operations;
  private final MemoryBudget deviceBudget;
  private final MemoryBudget pinnedBudget;
  private final HostMemory memory = HostMemory.open();
  private final Allocations allocations;
  private final Set<CpuStream> streams = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  /**
   * The device owns the workers and the product and closes them.
   *
   * @param deviceBudget which the product and the operations count their scratch against
   */
  CpuDevice(
      DeviceOptions options,
      MemoryBudget deviceBudget,
      WorkerPool workers,
      MatrixProduct product,
      Operations operations) {
    this.deviceBudget = deviceBudget;
    this.workers = workers;
    this.product = product;
    this.operations = operations;
    pinnedBudget = new MemoryBudget("host", options.pinnedBytes());
    allocations = new Allocations(deviceBudget, pinnedBudget);
    facts =
        new DeviceFacts(
            ProcessorName.read(),
            options.memoryBytes(),
            workers.threads(),
            true,
            product.describe());
  }

  @Override
  public DeviceFacts facts() {
    return facts;
  }

  @Override
  public DeviceBuffer allocate(String purpose, long bytes) {
    requireOpen();
    return allocations.allocate(purpose, bytes, release -> inRam(bytes, release, CpuBuffer::new));
  }

  @Override
  public PinnedBuffer allocatePinned(String purpose, long bytes) {
    requireOpen();
    return allocations.allocatePinned(
        purpose, bytes, release -> inRam(bytes, release, CpuPinnedBuffer::new));
  }

  private <B> B inRam(
      long bytes, Runnable release, BiFunction<MemorySegment, Runnable, B> newBuffer) {
    Arena arena = Arena.ofShared();
    try {
      return newBuffer.apply(
          memory.allocate(bytes, arena),
          () -> {
            arena.close();
            release.run();
          });
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  @Override
  public DeviceBuffer wrap(PinnedBuffer buffer) {
    return new CpuBuffer(buffer.segment(), () -> {});
  }

  @Override
  public Stream newStream(String name) {
    requireOpen();
    synchronized (streams) {
      CpuStream stream = new CpuStream(name, workers, this::forget);
      streams.add(stream);
      return stream;
    }
  }

  /** Without streams nothing computes, and nothing needs scratch. */
  private void forget(CpuStream stream) {
    synchronized (streams) {
      streams.remove(stream);
      if (streams.isEmpty()) {
        product.dropScratch();
      }
    }
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
    List.copyOf(streams).forEach(CpuDevice::closeLeaked);
    allocations.releaseLeaked();
    workers.close();
    product.close();
  }

  private static void closeLeaked(CpuStream stream) {
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
  }
}
