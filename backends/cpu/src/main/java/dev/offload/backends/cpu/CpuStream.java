package dev.offload.backends.cpu;

import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.Event;
import dev.offload.backends.api.OperandChecks;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import java.lang.foreign.MemorySegment;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * A queue of work that the device's workers go through, one of them at a time, so that streams
 * never take more cores than there are workers. A stream that waits for an event takes none:
 * whoever reaches the event hands it back to the workers. Once work fails, what is enqueued behind
 * it is skipped, and streams that wait for an event behind it fail too, until {@link
 * #synchronize()} or one of those events has reported the failure: nothing computes on what was
 * never written.
 */
final class CpuStream implements Stream {
  /** Bytes of a copy that one worker takes at a time: some ten microseconds. */
  private static final long COPY_TASK_BYTES = 256 << 10;

  /**
   * The same for large copies. From so many bytes on the JDK copies half as fast again with
   * AVX-512, presumably past the caches.
   */
  private static final long LARGE_COPY_TASK_BYTES = 5 << 19;

  /** From here on copies are large; those of 3 MB slowed decoding down as single tasks. */
  private static final long LARGE_COPY_BYTES = 8 << 20;

  /**
   * Smaller copies are a task of one worker. Of two workers one copies all of it beside products
   * anyway, and alone it takes 0.13 ms at most, at 8 GB/s.
   */
  private static final long SMALL_COPY_BYTES = 1 << 20;

  private static final int CACHE_LINE = 64;

  /**
   * How long a worker stays with a stream while others wait: some small operations. One at a time,
   * they would each wait for a large one of another stream.
   */
  private static final long TURN_NANOS = 100_000;

  private final String name;
  private final WorkerPool workers;
  private final Consumer<CpuStream> onClose;
  private final Queue<Item> queue = new ConcurrentLinkedQueue<>();

  /** Items that are not done; whoever makes it 1 hands the stream to the workers. */
  private final AtomicInteger pending = new AtomicInteger();

  private final AtomicReference<StreamFailure> failure = new AtomicReference<>();
  private volatile boolean closed;

  private enum Kind {
    WORK,
    EVENT,
    WAIT
  }

  /**
   * One thing to do.
   *
   * @param tries does it and returns true; or returns false if it cannot be done yet and the stream
   *     has been left with whoever will go on with it
   */
  private record Item(Kind kind, BooleanSupplier tries) {}

  /**
   * @param name for messages
   * @param onClose told once when the stream is closed
   */
  CpuStream(String name, WorkerPool workers, Consumer<CpuStream> onClose) {
    this.name = name;
    this.workers = workers;
    this.onClose = onClose;
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
        Kind.WORK,
        () -> {
          if (failure.get() == null) {
            runGuarded(work);
          }
          return true;
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
    int tasks = copyTasks(bytes);
    long ofTask = bytes / tasks / CACHE_LINE * CACHE_LINE;
    submit(
        () ->
            workers.parallelFor(
                tasks,
                task -> {
                  long first = task * ofTask;
                  long length = task == tasks - 1 ? bytes - first : ofTask;
                  MemorySegment.copy(from, fromOffset + first, to, toOffset + first, length);
                }));
  }

  private static int copyTasks(long bytes) {
    if (bytes < SMALL_COPY_BYTES) {
      return 1;
    }
    long each = bytes < LARGE_COPY_BYTES ? COPY_TASK_BYTES : LARGE_COPY_TASK_BYTES;
    return Math.toIntExact(bytes / each);
  }

  @Override
  public Event record() {
    CpuEvent event = new CpuEvent(this);
    enqueue(
        Kind.EVENT,
        () -> {
          event.reach(failure.get());
          return true;
        });
    return event;
  }

  @Override
  public void await(Event event) {
    if (!(event instanceof CpuEvent cpuEvent)) {
      throw new IllegalArgumentException(
          "event of class %s does not belong to the CPU backend"
              .formatted(event.getClass().getName()));
    }
    enqueue(
        Kind.WAIT,
        () -> {
          if (cpuEvent.whenReached(this::goOn)) {
            return false;
          }
          cpuEvent.failure().ifPresent(before -> failure.compareAndSet(null, before));
          return true;
        });
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
    closed = true;
    last.awaitReached();
    onClose.accept(this);
    StreamFailure unreported = failure.get();
    if (unreported != null) {
      throw unreported.toException();
    }
  }

  private void enqueue(Kind kind, BooleanSupplier tries) {
    if (closed) {
      throw new IllegalStateException("stream '" + name + "' is closed");
    }
    queue.add(new Item(kind, tries));
    if (pending.getAndIncrement() == 0) {
      goOn();
    }
  }

  private void goOn() {
    workers.execute(this::work);
  }

  /**
   * Does what can be done; after {@link #TURN_NANOS} of it other streams get their turn. An event
   * right behind work is not kept waiting, and one in front of work says when that begins.
   */
  private void work() {
    long end = System.nanoTime() + TURN_NANOS;
    boolean worked = false;
    boolean behindWork = false;
    do {
      // What waits stays at the head until it is done, and nobody else works on this stream then.
      Item next = queue.peek();
      boolean tellsOfWork = behindWork && next.kind() == Kind.EVENT;
      if (worked && !tellsOfWork && workers.areWanted() && System.nanoTime() >= end) {
        goOn();
        return;
      }
      if (!next.tries().getAsBoolean()) {
        return;
      }
      behindWork = next.kind() == Kind.WORK;
      worked |= behindWork;
      queue.remove();
    } while (pending.decrementAndGet() > 0);
  }

  private void runGuarded(Runnable work) {
    try {
      work.run();
    } catch (Throwable e) { // surfaces in synchronize
      failure.compareAndSet(null, new StreamFailure(name, e));
    }
  }
}
