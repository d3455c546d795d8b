package dev.offload.backends.cuda;

import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.Event;
import dev.offload.backends.api.OperandChecks;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.backends.kernels.Launch;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A queue of the driver, with a status in device memory where kernels write the first failure.
 * Events behind such kernels read it; when a failure has been thrown the status is cleared.
 */
final class CudaStream implements Stream {

  /** Blocks in the second dimension of a grid, at most: CUDA C++ Programming Guide, table 21. */
  private static final int MOST_SECOND_BLOCKS = 65_535;

  private final String name;
  private final CudaResources resources;
  private final Driver driver;
  private final Driver.Queue queue;
  private final long status;
  private final Workspaces workspaces;
  private final Runnable onClose;
  private final KernelArguments arguments = new KernelArguments();
  private final Map<Launch.Key, Driver.Function> functions = new HashMap<>();
  private final Deque<CudaEvent> unsettled = new ArrayDeque<>();
  private Optional<Workspaces.Workspace> workspace = Optional.empty();
  private Optional<CudaEvent> lastChecked = Optional.empty();
  private boolean mayHaveFailed;
  private boolean closed;
  private long recorded;
  private long surfaced;

  /**
   * @param status address of {@link StatusSlots#SLOT_BYTES} bytes that only this stream uses
   * @param onClose run once, when the stream is closed
   */
  CudaStream(
      String name, CudaResources resources, long status, Workspaces workspaces, Runnable onClose) {
    this.name = name;
    this.resources = resources;
    this.status = status;
    this.workspaces = workspaces;
    this.onClose = onClose;
    driver = resources.driver();
    queue = driver.newQueue();
    clearStatus();
  }

  /**
   * A stream of this backend.
   *
   * @throws IllegalArgumentException if it belongs to another
   */
  static CudaStream of(Stream stream) {
    if (stream instanceof CudaStream own) {
      return own;
    }
    throw new IllegalArgumentException(
        "stream of class %s does not belong to the CUDA backend"
            .formatted(stream.getClass().getName()));
  }

  String name() {
    return name;
  }

  CudaResources resources() {
    return resources;
  }

  /** Memory that only this stream's kernels and products use. */
  Workspaces.Workspace workspace() {
    if (workspace.isEmpty()) {
      workspace = Optional.of(workspaces.take(name));
    }
    return workspace.get();
  }

  /** Enqueues a kernel. */
  void launch(Launch launch) {
    requireOpen();
    requireGrid(launch.kernel(), launch.groups(), launch.secondGroups());
    Driver.Function function =
        functions.computeIfAbsent(launch.key(), key -> resources.context().function(launch));
    MemorySegment parameters = arguments.fill(launch.arguments(), status);
    driver.launch(
        function,
        launch.kernel(),
        new Driver.Grid((int) launch.groups(), launch.secondGroups()),
        launch.items(),
        launch.localBytes(),
        queue,
        parameters);
    mayHaveFailed |= launch.hasStatus();
  }

  /** Refuses grids that CUDA does not have. */
  static void requireGrid(String kernel, long first, int second) {
    if (first > Integer.MAX_VALUE || second > MOST_SECOND_BLOCKS) {
      throw new IllegalArgumentException(
          "kernel %s over %d x %d blocks, a grid has at most %d x %d"
              .formatted(kernel, first, second, Integer.MAX_VALUE, MOST_SECOND_BLOCKS));
    }
  }

  /** Enqueues a product. */
  void multiply(Blas blas, Blas.Product product) {
    requireOpen();
    blas.multiply(
        new Blas.Place(driver.address(queue), workspace().productsAt(), Workspaces.PRODUCT_BYTES),
        product);
  }

  @Override
  public void copyToDevice(
      PinnedBuffer from, long fromOffset, DeviceBuffer to, long toOffset, long bytes) {
    requireOpen();
    CudaBuffer device = CudaBuffer.of(to);
    OperandChecks.copyFits("source", from.bytes(), fromOffset, bytes);
    OperandChecks.copyFits("destination", device.bytes(), toOffset, bytes);
    for (long done = 0; done < bytes; ) {
      long part = resources.pinned().withinPiece(fromOffset + done, bytes - done);
      driver.copyToDevice(
          device.address() + toOffset + done,
          from.segment().address() + fromOffset + done,
          part,
          queue);
      done += part;
    }
  }

  @Override
  public void copyToHost(
      DeviceBuffer from, long fromOffset, PinnedBuffer to, long toOffset, long bytes) {
    requireOpen();
    CudaBuffer device = CudaBuffer.of(from);
    OperandChecks.copyFits("source", device.bytes(), fromOffset, bytes);
    OperandChecks.copyFits("destination", to.bytes(), toOffset, bytes);
    for (long done = 0; done < bytes; ) {
      long part = resources.pinned().withinPiece(toOffset + done, bytes - done);
      driver.copyToHost(
          to.segment().address() + toOffset + done,
          device.address() + fromOffset + done,
          part,
          queue);
      done += part;
    }
  }

  @Override
  public void copyOnDevice(
      DeviceBuffer from, long fromOffset, DeviceBuffer to, long toOffset, long bytes) {
    requireOpen();
    CudaBuffer source = CudaBuffer.of(from);
    CudaBuffer destination = CudaBuffer.of(to);
    OperandChecks.copyFits("source", source.bytes(), fromOffset, bytes);
    OperandChecks.copyFits("destination", destination.bytes(), toOffset, bytes);
    if (bytes > 0) {
      driver.copyOnDevice(
          destination.address() + toOffset, source.address() + fromOffset, bytes, queue);
    }
  }

  @Override
  public Event record() {
    return recordEvent();
  }

  private CudaEvent recordEvent() {
    requireOpen();
    while (!unsettled.isEmpty() && unsettled.peekFirst().isDone()) {
      unsettled.removeFirst();
    }
    long now = System.nanoTime();
    Optional<MemorySegment> copy = Optional.empty();
    if (mayHaveFailed) {
      MemorySegment slot = resources.slots().take();
      driver.copyToHost(slot.address(), status, StatusSlots.SLOT_BYTES, queue);
      copy = Optional.of(slot);
      mayHaveFailed = false;
    }
    Driver.Mark mark = resources.marks().take();
    driver.record(mark, queue);
    CudaEvent event = newEvent(mark, copy, now);
    unsettled.addLast(event);
    return event;
  }

  private synchronized CudaEvent newEvent(
      Driver.Mark mark, Optional<MemorySegment> copy, long now) {
    Optional<CudaEvent> before = copy.isPresent() ? Optional.empty() : lastChecked;
    CudaEvent event = new CudaEvent(this, ++recorded, mark, copy, before, now);
    if (copy.isPresent()) {
      lastChecked = Optional.of(event);
    }
    return event;
  }

  @Override
  public void await(Event event) {
    requireOpen();
    if (!(event instanceof CudaEvent own)) {
      throw new IllegalArgumentException(
          "event of class %s does not belong to the CUDA backend"
              .formatted(event.getClass().getName()));
    }
    if (own.stream().resources != resources) {
      throw new IllegalArgumentException(
          "an event of stream '%s' cannot be awaited on '%s' of a device opened apart"
              .formatted(own.stream().name, name));
    }
    own.holdUp(queue);
  }

  @Override
  public void synchronize() {
    record().synchronize();
  }

  /**
   * Throws the failure before an event that is reached, unless it has been thrown before.
   *
   * @throws IllegalStateException if there is one
   */
  void surface(CudaEvent event) {
    if (event.failure().isPresent() && claim(event)) {
      throw new IllegalStateException(
          "work on stream '%s' failed: %s".formatted(name, event.failure().get()));
    }
  }

  /** Whether the failure is news. All events so far stand behind the same one. */
  private synchronized boolean claim(CudaEvent event) {
    if (event.number() <= surfaced) {
      return false;
    }
    surfaced = recorded;
    lastChecked = Optional.empty();
    if (!closed && resources.lost().isEmpty()) {
      clearStatus();
    }
    return true;
  }

  private void clearStatus() {
    driver.clear(status, (int) (StatusSlots.SLOT_BYTES / Integer.BYTES), queue);
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    Optional<CudaEvent> last = recordLast();
    synchronized (this) {
      closed = true;
    }
    last.ifPresent(CudaEvent::awaitReached);
    unsettled.forEach(CudaEvent::awaitReached);
    Releases.run("stream '" + name + "'", () -> driver.destroy(queue));
    workspace.ifPresent(workspaces::give);
    arguments.close();
    onClose.run();
    last.ifPresent(this::surface);
  }

  /** Behind all work; nothing if the device is lost. */
  private Optional<CudaEvent> recordLast() {
    try {
      return Optional.of(recordEvent());
    } catch (IllegalStateException e) {
      if (resources.lost().isEmpty()) {
        throw e;
      }
      return Optional.empty();
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("stream '" + name + "' is closed");
    }
    resources.requireAlive();
  }
}
