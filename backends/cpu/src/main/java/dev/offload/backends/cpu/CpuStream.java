package dev.offload.backends.cpu;

import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.Event;
import dev.offload.backends.api.OperandChecks;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import java.lang.foreign.MemorySegment;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * A queue of work with a thread of its own. Once work fails, what is enqueued behind it is skipped,
 * and streams that wait for an event behind it fail too, until {@link #synchronize()} or one of
 * those events has reported the failure: nothing computes on what was never written.
 */
final class CpuStream implements Stream {
  private static final long SPIN_NANOS = 30_000;
  private static final int SPINS_PER_CLOCK_READ = 32;

  private final String name;
  private final Consumer<CpuStream> onClose;
  private final Queue<Runnable> queue = new ConcurrentLinkedQueue<>();
  private final AtomicReference<StreamFailure> failure = new AtomicReference<>();
  private final Thread thread;
  private volatile boolean parked;
  private volatile boolean closed;
  private volatile boolean ended;

  /**
   * @param name for thread names and messages
   * @param onClose told once when the stream is closed
   */
  CpuStream(String name, Consumer<CpuStream> onClose) {
    this.name = name;
    this.onClose = onClose;
    thread = Thread.ofPlatform().daemon().name("offload-stream-" + name).start(this::run);
  }

  /**
   * A stream of this backend.
   *
   * @throws IllegalArgumentException if the stream belongs to another backend
   */
  static CpuStream of(Stream stream) {
    if (stream instanceof CpuStream cpuStream) {
      return cpuStream;
    }
    throw new IllegalArgumentException(
        "stream of class %s does not belong to the CPU backend"
            .formatted(stream.getClass().getName()));
  }

  String name() {
    return name;
  }

  /** Enqueues work; its errors surface as {@link Stream} says. */
  void submit(Runnable work) {
    enqueue(
        () -> {
          if (failure.get() == null) {
            work.run();
          }
        });
  }

  @Override
  public void copyToDevice(
      PinnedBuffer from, long fromOffset, DeviceBuffer to, long toOffset, long bytes) {
    copy(from.segment(), fromOffset, CpuBuffer.segment(to), toOffset, bytes);
  }

  @Override
  public void copyToHost(
      DeviceBuffer from, long fromOffset, PinnedBuffer to, long toOffset, long bytes) {
    copy(CpuBuffer.segment(from), fromOffset, to.segment(), toOffset, bytes);
  }

  @Override
  public void copyOnDevice(
      DeviceBuffer from, long fromOffset, DeviceBuffer to, long toOffset, long bytes) {
    copy(CpuBuffer.segment(from), fromOffset, CpuBuffer.segment(to), toOffset, bytes);
  }

  private void copy(
      MemorySegment from, long fromOffset, MemorySegment to, long toOffset, long bytes) {
    OperandChecks.copyFits("source", from.byteSize(), fromOffset, bytes);
    OperandChecks.copyFits("destination", to.byteSize(), toOffset, bytes);
    submit(() -> MemorySegment.copy(from, fromOffset, to, toOffset, bytes));
  }

  @Override
  public Event record() {
    CpuEvent event = new CpuEvent(this);
    enqueue(() -> event.reach(failure.get()));
    return event;
  }

  @Override
  public void await(Event event) {
    if (!(event instanceof CpuEvent cpuEvent)) {
      throw new IllegalArgumentException(
          "event of class %s does not belong to the CPU backend"
              .formatted(event.getClass().getName()));
    }
    enqueue(() -> cpuEvent.awaitReached().ifPresent(before -> failure.compareAndSet(null, before)));
  }

  @Override
  public void synchronize() {
    record().synchronize();
  }

  /** The failure has been thrown at someone: work enqueued from now on runs again. */
  void surfaced(StreamFailure reported) {
    failure.compareAndSet(reported, null);
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    CpuEvent last = (CpuEvent) record();
    enqueue(() -> ended = true);
    closed = true;
    last.awaitReached();
    onClose.accept(this);
    StreamFailure unreported = failure.get();
    if (unreported != null) {
      throw unreported.toException();
    }
  }

  private void enqueue(Runnable work) {
    if (closed) {
      throw new IllegalStateException("stream '" + name + "' is closed");
    }
    queue.add(work);
    if (parked) {
      LockSupport.unpark(thread);
    }
  }

  private void run() {
    while (!ended) {
      Runnable work = queue.poll();
      if (work == null) {
        awaitWork();
      } else {
        runGuarded(work);
      }
    }
  }

  private void runGuarded(Runnable work) {
    try {
      work.run();
    } catch (Throwable e) { // surfaces in synchronize
      failure.compareAndSet(null, new StreamFailure(name, e));
    }
  }

  private void awaitWork() {
    long spinUntil = System.nanoTime() + SPIN_NANOS;
    for (int spins = 1; queue.isEmpty(); spins++) {
      Thread.onSpinWait();
      if (spins % SPINS_PER_CLOCK_READ == 0 && System.nanoTime() > spinUntil) {
        park();
        return;
      }
    }
  }

  private void park() {
    parked = true;
    while (queue.isEmpty()) {
      LockSupport.park(this);
    }
    parked = false;
  }
}
