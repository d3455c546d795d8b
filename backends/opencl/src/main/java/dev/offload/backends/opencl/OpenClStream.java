package dev.offload.backends.opencl;

import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.Event;
import dev.offload.backends.api.OperandChecks;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.backends.kernels.DeviceClock;
import dev.offload.backends.kernels.Failure;
import dev.offload.backends.kernels.Launch;
import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.opencl.CL12;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;

/**
 * A command queue, in order, with a status in device memory where kernels write the first failure.
 * Every event reads it; when a failure has been thrown the status is cleared.
 */
final class OpenClStream implements Stream {
  private static final long STATUS_BYTES = 4L * Failure.STATUS_INTS;

  private final String name;
  private final OpenClContext context;
  private final DeviceClock clock;
  private final long queue;
  private final OpenClBuffer status;
  private final Supplier<OpenClBuffer> newScratch;
  private final Consumer<OpenClStream> onClose;
  private final Map<String, Long> kernels = new HashMap<>();
  private final Deque<OpenClEvent> unsettled = new ArrayDeque<>();
  private OpenClBuffer scratch;
  private boolean closed;
  private long recorded;
  private long surfaced;

  /**
   * @param newScratch allocates memory for kernels of this stream, when the first needs it
   * @param onClose told once when the stream is closed
   */
  OpenClStream(
      String name,
      OpenClContext context,
      OpenClMemory memory,
      DeviceClock clock,
      Supplier<OpenClBuffer> newScratch,
      Consumer<OpenClStream> onClose) {
    this.name = name;
    this.context = context;
    this.clock = clock;
    this.newScratch = newScratch;
    this.onClose = onClose;
    queue = newQueue(context);
    try {
      status = memory.allocateOnDevice(STATUS_BYTES, () -> {});
      clearStatus();
    } catch (RuntimeException | Error e) {
      CL10.clReleaseCommandQueue(queue);
      throw e;
    }
  }

  /** A queue in order, whose events know when they were reached. The caller releases it. */
  static long newQueue(OpenClContext context) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      IntBuffer code = stack.mallocInt(1);
      long queue =
          CL10.clCreateCommandQueue(
              context.handle(), context.device().id(), CL10.CL_QUEUE_PROFILING_ENABLE, code);
      return Status.check("clCreateCommandQueue", code, queue);
    }
  }

  /**
   * A stream of this backend.
   *
   * @throws IllegalArgumentException if it belongs to another
   */
  static OpenClStream of(Stream stream) {
    if (stream instanceof OpenClStream own) {
      return own;
    }
    throw new IllegalArgumentException(
        "stream of class %s does not belong to the OpenCL backend"
            .formatted(stream.getClass().getName()));
  }

  String name() {
    return name;
  }

  DeviceClock clock() {
    return clock;
  }

  /**
   * Memory that only this stream's kernels use.
   *
   * @throws dev.offload.backends.api.MemoryBudgetException if the budget has no room for it
   */
  OpenClBuffer scratch() {
    if (scratch == null) {
      scratch = newScratch.get();
    }
    return scratch;
  }

  /** Enqueues a kernel. */
  void launch(Launch launch) {
    requireOpen();
    long kernel =
        kernels.computeIfAbsent(
            launch.file() + launch.definitions() + launch.kernel(),
            key -> context.newKernel(launch));
    setArguments(kernel, launch);
    try (MemoryStack stack = MemoryStack.stackPush()) {
      PointerBuffer global =
          stack.pointers(launch.groups() * launch.items(), launch.secondGroups());
      PointerBuffer local = stack.pointers(launch.items(), 1);
      Status.check(
          "clEnqueueNDRangeKernel of " + launch.kernel(),
          CL10.clEnqueueNDRangeKernel(queue, kernel, 2, null, global, local, null, null));
    }
  }

  private void setArguments(long kernel, Launch launch) {
    int at = 0;
    for (Launch.Argument argument : launch.arguments()) {
      int code =
          switch (argument) {
            case Launch.MemoryArgument given ->
                CL10.clSetKernelArg1p(
                    kernel,
                    at,
                    given.buffer().isPresent()
                        ? OpenClBuffer.of(given.buffer().get()).handle()
                        : MemoryUtil.NULL);
            case Launch.StatusArgument ignored ->
                CL10.clSetKernelArg1p(kernel, at, status.handle());
            case Launch.IntArgument given -> CL10.clSetKernelArg1i(kernel, at, given.value());
            case Launch.LongArgument given -> CL10.clSetKernelArg1l(kernel, at, given.value());
            case Launch.FloatArgument given -> CL10.clSetKernelArg1f(kernel, at, given.value());
          };
      Status.check("clSetKernelArg %d of %s".formatted(at, launch.kernel()), code);
      at++;
    }
    if (launch.localBytes() > 0) {
      Status.check(
          "clSetKernelArg %d of %s".formatted(at, launch.kernel()),
          CL10.clSetKernelArg(kernel, at, (long) launch.localBytes()));
    }
  }

  @Override
  public void copyToDevice(
      PinnedBuffer from, long fromOffset, DeviceBuffer to, long toOffset, long bytes) {
    requireOpen();
    OpenClBuffer device = OpenClBuffer.of(to);
    OperandChecks.copyFits("source", from.bytes(), fromOffset, bytes);
    OperandChecks.copyFits("destination", device.bytes(), toOffset, bytes);
    if (bytes > 0) {
      Status.check(
          "clEnqueueWriteBuffer",
          CL10.nclEnqueueWriteBuffer(
              queue,
              device.handle(),
              CL10.CL_FALSE,
              toOffset,
              bytes,
              from.segment().address() + fromOffset,
              0,
              MemoryUtil.NULL,
              MemoryUtil.NULL));
    }
  }

  @Override
  public void copyToHost(
      DeviceBuffer from, long fromOffset, PinnedBuffer to, long toOffset, long bytes) {
    requireOpen();
    OpenClBuffer device = OpenClBuffer.of(from);
    OperandChecks.copyFits("source", device.bytes(), fromOffset, bytes);
    OperandChecks.copyFits("destination", to.bytes(), toOffset, bytes);
    if (bytes > 0) {
      Status.check(
          "clEnqueueReadBuffer",
          CL10.nclEnqueueReadBuffer(
              queue,
              device.handle(),
              CL10.CL_FALSE,
              fromOffset,
              bytes,
              to.segment().address() + toOffset,
              0,
              MemoryUtil.NULL,
              MemoryUtil.NULL));
    }
  }

  @Override
  public void copyOnDevice(
      DeviceBuffer from, long fromOffset, DeviceBuffer to, long toOffset, long bytes) {
    requireOpen();
    OpenClBuffer source = OpenClBuffer.of(from);
    OpenClBuffer destination = OpenClBuffer.of(to);
    OperandChecks.copyFits("source", source.bytes(), fromOffset, bytes);
    OperandChecks.copyFits("destination", destination.bytes(), toOffset, bytes);
    if (bytes > 0) {
      Status.check(
          "clEnqueueCopyBuffer",
          CL10.clEnqueueCopyBuffer(
              queue,
              source.handle(),
              destination.handle(),
              fromOffset,
              toOffset,
              bytes,
              null,
              null));
    }
  }

  @Override
  public Event record() {
    return recordEvent();
  }

  private OpenClEvent recordEvent() {
    requireOpen();
    while (!unsettled.isEmpty() && unsettled.peekFirst().isDone()) {
      unsettled.removeFirst();
    }
    long now = System.nanoTime();
    long copy = MemoryUtil.nmemAllocChecked(STATUS_BYTES);
    try (MemoryStack stack = MemoryStack.stackPush()) {
      PointerBuffer handle = stack.mallocPointer(1);
      Status.check(
          "clEnqueueReadBuffer",
          CL10.nclEnqueueReadBuffer(
              queue,
              status.handle(),
              CL10.CL_FALSE,
              0,
              STATUS_BYTES,
              copy,
              0,
              MemoryUtil.NULL,
              MemoryUtil.memAddress(handle)));
      OpenClEvent event = new OpenClEvent(this, nextNumber(), handle.get(0), copy, now);
      unsettled.addLast(event);
      // Else some drivers begin only when somebody waits.
      Status.check("clFlush", CL10.clFlush(queue));
      return event;
    }
  }

  private synchronized long nextNumber() {
    return ++recorded;
  }

  @Override
  public void await(Event event) {
    requireOpen();
    if (!(event instanceof OpenClEvent own)) {
      throw new IllegalArgumentException(
          "event of class %s does not belong to the OpenCL backend"
              .formatted(event.getClass().getName()));
    }
    if (own.stream().context != context) {
      throw new IllegalArgumentException(
          "an event of %s cannot be awaited on %s opened apart"
              .formatted(own.stream().context.device().name(), context.device().name()));
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
  void surface(OpenClEvent event) {
    if (event.failure().isPresent() && claim(event)) {
      throw new IllegalStateException(
          "work on stream '%s' failed: %s".formatted(name, event.failure().get()));
    }
  }

  /** Whether the failure is news. All events so far stand behind the same one. */
  private synchronized boolean claim(OpenClEvent event) {
    if (event.number() <= surfaced) {
      return false;
    }
    surfaced = recorded;
    if (!closed) {
      clearStatus();
    }
    return true;
  }

  private void clearStatus() {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      ByteBuffer zero = stack.calloc(4);
      Status.check(
          "clEnqueueFillBuffer",
          CL12.clEnqueueFillBuffer(queue, status.handle(), zero, 0, STATUS_BYTES, null, null));
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    OpenClEvent last = recordEvent();
    last.awaitReached();
    synchronized (this) {
      closed = true;
    }
    unsettled.forEach(OpenClEvent::awaitReached);
    kernels
        .values()
        .forEach(kernel -> Status.check("clReleaseKernel", CL10.clReleaseKernel(kernel)));
    Status.check("clFinish", CL10.clFinish(queue));
    Status.check("clReleaseCommandQueue", CL10.clReleaseCommandQueue(queue));
    status.close();
    if (scratch != null) {
      scratch.close();
    }
    onClose.accept(this);
    surface(last);
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("stream '" + name + "' is closed");
    }
  }
}
