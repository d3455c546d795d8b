package dev.offload.backends.opencl;

import dev.offload.backends.api.Event;
import dev.offload.backends.kernels.Failure;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.Optional;
import org.lwjgl.opencl.CL10;
import org.lwjgl.opencl.CL12;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;

/**
 * A read of the stream's status that is enqueued at the point. Once it has run, the event keeps
 * what it needs in Java and releases the handle.
 */
final class OpenClEvent implements Event {
  private final OpenClStream stream;
  private final long number;
  private final long handle;
  private final long status;
  private final long enqueuedNanos;
  private boolean settled;
  private long reachedNanos;
  private Optional<String> failure = Optional.empty();

  /**
   * @param number of the event in its stream, ascending
   * @param handle cl_event of the read; released by this
   * @param status where the status is read to, {@link Failure#STATUS_INTS} integers of malloc;
   *     freed by this
   * @param enqueuedNanos a time before the read was enqueued
   */
  OpenClEvent(OpenClStream stream, long number, long handle, long status, long enqueuedNanos) {
    this.stream = stream;
    this.number = number;
    this.handle = handle;
    this.status = status;
    this.enqueuedNanos = enqueuedNanos;
  }

  OpenClStream stream() {
    return stream;
  }

  long number() {
    return number;
  }

  @Override
  public synchronized boolean isDone() {
    if (!settled && executionStatus() <= CL10.CL_COMPLETE) {
      settle();
    }
    return settled;
  }

  @Override
  public void synchronize() {
    awaitReached();
    stream.surface(this);
  }

  /** Blocks until the point is reached, whether work failed or not. */
  void awaitReached() {
    synchronized (this) {
      if (settled) {
        return;
      }
      Status.check("clRetainEvent", CL10.clRetainEvent(handle));
    }
    CL10.clWaitForEvents(handle); // a failure is in the execution status
    synchronized (this) {
      CL10.clReleaseEvent(handle);
      if (!settled) {
        settle();
      }
    }
  }

  /** Makes a queue wait for the point. */
  synchronized void holdUp(long queue) {
    if (!isDone()) {
      try (MemoryStack stack = MemoryStack.stackPush()) {
        Status.check(
            "clEnqueueBarrierWithWaitList",
            CL12.clEnqueueBarrierWithWaitList(queue, stack.pointers(handle), null));
      }
    }
  }

  /** What failed before the point, in words; only once it is reached. */
  synchronized Optional<String> failure() {
    return failure;
  }

  @Override
  public synchronized long reachedNanos() {
    if (!isDone()) {
      throw new IllegalStateException("the event is not reached yet");
    }
    return reachedNanos;
  }

  private int executionStatus() {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      IntBuffer value = stack.mallocInt(1);
      Status.check(
          "clGetEventInfo",
          CL10.clGetEventInfo(handle, CL10.CL_EVENT_COMMAND_EXECUTION_STATUS, value, null));
      return value.get(0);
    }
  }

  private void settle() {
    int execution = executionStatus();
    int code = MemoryUtil.memGetInt(status);
    if (execution < CL10.CL_COMPLETE) {
      failure = Optional.of("the device gave up with status " + execution);
      reachedNanos = System.nanoTime();
    } else {
      reachedNanos = stream.clock().toHost(enqueuedNanos, ended(), System.nanoTime());
      if (code != 0) {
        failure =
            Optional.of(
                Failure.describe(
                    code,
                    MemoryUtil.memGetInt(status + 4),
                    MemoryUtil.memGetInt(status + 8),
                    MemoryUtil.memGetInt(status + 12)));
      }
    }
    MemoryUtil.nmemFree(status);
    Status.check("clReleaseEvent", CL10.clReleaseEvent(handle));
    settled = true;
  }

  private long ended() {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      LongBuffer nanos = stack.mallocLong(1);
      Status.check(
          "clGetEventProfilingInfo",
          CL10.clGetEventProfilingInfo(handle, CL10.CL_PROFILING_COMMAND_END, nanos, null));
      return nanos.get(0);
    }
  }
}
