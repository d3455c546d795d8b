package dev.offload.backends.cuda;

import dev.offload.backends.kernels.DeviceClock;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/** What the streams of a device share. Thread-safe. */
final class CudaResources implements AutoCloseable {
  private final CudaContext context;
  private final PinnedMemory pinned;
  private final StatusSlots slots;
  private final Marks marks;
  private final DeviceClock clock = new DeviceClock();
  private final AtomicReference<CudaException> lost = new AtomicReference<>();

  CudaResources(CudaContext context, PinnedMemory pinned) {
    this.context = context;
    this.pinned = pinned;
    slots = new StatusSlots(pinned);
    marks = new Marks(context.driver());
  }

  CudaContext context() {
    return context;
  }

  Driver driver() {
    return context.driver();
  }

  PinnedMemory pinned() {
    return pinned;
  }

  StatusSlots slots() {
    return slots;
  }

  Marks marks() {
    return marks;
  }

  DeviceClock clock() {
    return clock;
  }

  /** Ends the device if the failure does. */
  void lose(CudaException failure) {
    if (failure.isSticky()) {
      lost.compareAndSet(null, failure);
    }
  }

  /** The failure that ended the device. */
  Optional<CudaException> lost() {
    return Optional.ofNullable(lost.get());
  }

  /**
   * Refuses work for a device that is lost.
   *
   * @throws IllegalStateException with the first failure as its cause
   */
  void requireAlive() {
    CudaException first = lost.get();
    if (first != null) {
      throw new IllegalStateException("the device is lost: " + first.getMessage(), first);
    }
  }

  @Override
  public void close() {
    marks.close();
    slots.close();
  }
}
