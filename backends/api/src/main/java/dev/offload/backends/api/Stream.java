package dev.offload.backends.api;

/**
 * Work that runs in order, asynchronously to the caller and to other streams. One thread may
 * enqueue at a time. An error in the work surfaces, once, in the next {@link #synchronize()} of the
 * stream or of an event behind the work.
 */
public interface Stream extends AutoCloseable {

  /** Enqueues a copy from host to device. The host bytes must not change until it has run. */
  void copyToDevice(PinnedBuffer from, long fromOffset, DeviceBuffer to, long toOffset, long bytes);

  /** Enqueues a copy from device to host. */
  void copyToHost(DeviceBuffer from, long fromOffset, PinnedBuffer to, long toOffset, long bytes);

  /** Enqueues a copy within device memory; the ranges may not overlap. */
  void copyOnDevice(DeviceBuffer from, long fromOffset, DeviceBuffer to, long toOffset, long bytes);

  /** An event that is done when everything enqueued so far has run. */
  Event record();

  /**
   * What is enqueued from now on waits for the event, without blocking the caller. The event may be
   * of any stream of the same backend.
   */
  void await(Event event);

  /** Blocks until everything enqueued so far has run. */
  void synchronize();

  /** Waits for pending work and releases the queue. */
  @Override
  void close();
}
