package dev.offload.backends.opencl;

import dev.offload.backends.api.Allocations;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.DeviceFacts;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.api.MemoryBudget;
import dev.offload.backends.api.Operations;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.backends.kernels.DeviceClock;
import dev.offload.backends.kernels.KernelLauncher;
import dev.offload.backends.kernels.KernelOperations;
import dev.offload.backends.kernels.Launch;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.lwjgl.opencl.CL10;

/** A device with budgets of its memory and of pinned memory. Scratch of kernels is in the first. */
final class OpenClDevice implements Device, KernelLauncher {
  private static final System.Logger LOGGER = System.getLogger(OpenClDevice.class.getName());

  /** Partial results of attention, of each stream that needs them. */
  private static final long SCRATCH_BYTES = 64L << 20;

  private final OpenClContext context;
  private final boolean ownsContext;
  private final DeviceFacts facts;
  private final Limits limits;
  private final MemoryBudget deviceBudget;
  private final MemoryBudget pinnedBudget;
  private final long queue;
  private final OpenClMemory memory;
  private final DeviceClock clock = new DeviceClock();
  private final Operations operations;
  private final Set<OpenClStream> streams = ConcurrentHashMap.newKeySet();
  private final Allocations allocations;
  private volatile boolean closed;

  /**
   * @param ownsContext whether closing the device closes the context
   * @param mayShareMemory whether memory may be the host's where that is possible
   */
  OpenClDevice(
      OpenClContext context, boolean ownsContext, DeviceOptions options, boolean mayShareMemory) {
    this(context, ownsContext, options, mayShareMemory, context.device().limits());
  }

  /** As above, with work divided by other limits than the device's. */
  OpenClDevice(
      OpenClContext context,
      boolean ownsContext,
      DeviceOptions options,
      boolean mayShareMemory,
      Limits limits) {
    this.context = context;
    this.ownsContext = ownsContext;
    this.limits = limits;
    DeviceHandle device = context.device();
    deviceBudget = new MemoryBudget("device", options.memoryBytes());
    pinnedBudget = new MemoryBudget("host", options.pinnedBytes());
    allocations = new Allocations(deviceBudget, pinnedBudget);
    queue = OpenClStream.newQueue(context);
    memory = new OpenClMemory(context, queue, mayShareMemory && device.isProcessor());
    operations = new KernelOperations(this);
    facts =
        new DeviceFacts(
            device.name(),
            options.memoryBytes(),
            device.computeUnits(),
            memory.isShared(),
            device.driver());
  }

  @Override
  public DeviceFacts facts() {
    return facts;
  }

  @Override
  public DeviceBuffer allocate(String purpose, long bytes) {
    requireOpen();
    return allocations.allocate(purpose, bytes, release -> memory.allocate(bytes, release));
  }

  @Override
  public PinnedBuffer allocatePinned(String purpose, long bytes) {
    requireOpen();
    return allocations.allocatePinned(
        purpose, bytes, release -> memory.allocatePinned(bytes, release));
  }

  /** A processor copies from any memory alike; what others are told of none is slow. */
  @Override
  public Optional<PinnedBuffer> tryPin(String purpose, MemorySegment memory) {
    requireOpen();
    return context.device().isProcessor()
        ? Optional.of(
            allocations.pin(purpose, memory, release -> new OpenClPinnedBuffer(memory, release)))
        : Optional.empty();
  }

  @Override
  public DeviceBuffer wrap(PinnedBuffer buffer) {
    if (!memory.isShared()) {
      throw new IllegalStateException(facts.name() + " has memory of its own");
    }
    return memory.wrap(buffer.segment());
  }

  @Override
  public Stream newStream(String name) {
    requireOpen();
    OpenClStream stream =
        new OpenClStream(name, context, memory, clock, () -> newScratch(name), streams::remove);
    streams.add(stream);
    return stream;
  }

  private OpenClBuffer newScratch(String stream) {
    return (OpenClBuffer)
        allocations.allocate(
            "scratch of stream '" + stream + "'",
            SCRATCH_BYTES,
            release -> memory.allocateOnDevice(SCRATCH_BYTES, release));
  }

  @Override
  public long scratchBytes() {
    return SCRATCH_BYTES;
  }

  @Override
  public Limits limits() {
    return limits;
  }

  @Override
  public void launch(Stream stream, Launch launch) {
    OpenClStream.of(stream).launch(launch);
  }

  @Override
  public DeviceBuffer scratch(Stream stream) {
    return OpenClStream.of(stream).scratch();
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
    List.copyOf(streams).forEach(OpenClDevice::closeLeaked);
    allocations.releaseLeaked();
    Status.check("clReleaseCommandQueue", CL10.clReleaseCommandQueue(queue));
    if (ownsContext) {
      context.close();
    }
  }

  private static void closeLeaked(OpenClStream stream) {
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
