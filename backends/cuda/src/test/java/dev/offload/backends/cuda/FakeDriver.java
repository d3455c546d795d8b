package dev.offload.backends.cuda;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.offload.tensors.HostMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntToLongFunction;
import jcuda.driver.CUresult;

/**
 * A driver that writes down what it is asked for, with real bytes, and as lazy as a device may be:
 * nothing in a queue runs before somebody waits for it, and then only what must. Calls of several
 * threads come one after the other.
 */
final class FakeDriver implements Driver {
  static final long MEMORY_BYTES = 4L << 30;
  static final long CONTEXT_BYTES = 300L << 20;

  /** All calls in order, as words. */
  final List<String> calls = new ArrayList<>();

  /** Whether memory of files can be pinned. */
  boolean pinsReadOnly = true;

  /** Bytes that others use. */
  long usedByOthers;

  /** What kernels do, by name; they get their arguments by number. */
  final Map<String, java.util.function.Consumer<IntToLongFunction>> kernels = new HashMap<>();

  /** Runs kernels that are not in {@link #kernels}. */
  Runner runner = (image, kernel, grid, threads, arguments) -> {};

  /** Milliseconds by which the clock of the device goes on with every mark. */
  float markMillis = 0.001f;

  private final Map<String, Failure> failures = new HashMap<>();
  private final Map<Long, Arena> allocations = new HashMap<>();
  private final Map<Long, Long> sizes = new HashMap<>();
  private final Map<Long, Long> registered = new HashMap<>();
  private final Set<Object> handles = new HashSet<>();
  private int names;
  private double millis;
  private boolean lost;
  private boolean closed;

  /** Lets all calls of a name fail from now on. */
  void fail(String call, int status) {
    failAfter(call, 0, status);
  }

  /** Lets all calls of a name fail after some that succeed. */
  void failAfter(String call, int successes, int status) {
    failures.put(call, new Failure(successes, status));
  }

  private record Failure(int successes, int status) {}

  /** Lets the work in queues fail for good. */
  void lose() {
    lost = true;
  }

  Map<Long, Long> registered() {
    return registered;
  }

  /** What was not given back. */
  List<String> left() {
    List<String> left = new ArrayList<>();
    allocations.keySet().forEach(address -> left.add("memory of " + sizes.get(address)));
    registered.forEach((address, bytes) -> left.add("registered " + bytes));
    handles.forEach(handle -> left.add(handle.toString()));
    if (!closed) {
      left.add("context");
    }
    return left;
  }

  private synchronized void call(String name, Object... details) {
    StringBuilder text = new StringBuilder(name);
    for (Object detail : details) {
      text.append(' ').append(detail);
    }
    calls.add(text.toString());
    if (closed) {
      throw new AssertionError(text + " after the context was closed");
    }
    Failure failure = failures.get(name);
    if (failure == null) {
      return;
    }
    if (failure.successes() == 0) {
      throw new CudaException(name, failure.status());
    }
    failures.put(name, new Failure(failure.successes() - 1, failure.status()));
  }

  private record FakeQueue(String name, Deque<Work> pending) implements Queue {
    @Override
    public boolean equals(Object other) {
      return this == other;
    }

    @Override
    public int hashCode() {
      return System.identityHashCode(this);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  private static final class FakeMark implements Mark {
    final String name;
    FakeQueue queue;
    int recorded;
    int reached;
    double millis;

    FakeMark(String name) {
      this.name = name;
    }

    @Override
    public String toString() {
      return name;
    }
  }

  /** What a launch does. */
  @FunctionalInterface
  interface Runner {
    /**
     * Runs a kernel to its end.
     *
     * @param image of its program, as the compiler made it
     * @param arguments 8 bytes each
     */
    void run(byte[] image, String kernel, Grid grid, int threads, long[] arguments);
  }

  private record FakeModule(String name, Image image) implements Module {}

  /** The bytes of a program. */
  private static final class Image {
    final byte[] bytes;

    Image(byte[] bytes) {
      this.bytes = bytes;
    }
  }

  private record FakeFunction(String name, FakeModule module) implements Function {}

  private sealed interface Work {}

  private record Task(Runnable action) implements Work {}

  private record Signal(FakeMark mark, int number) implements Work {}

  private record Wait(FakeMark mark, int number) implements Work {}

  private void runNext(FakeQueue queue) {
    switch (queue.pending.pop()) {
      case Task task -> task.action.run();
      case Signal signal -> {
        millis += markMillis;
        signal.mark.reached = signal.number;
        signal.mark.millis = millis;
      }
      case Wait wait -> runUntil(wait.mark, wait.number);
    }
  }

  private void runUntil(FakeMark mark, int number) {
    while (mark.reached < number) {
      if (lost) {
        throw new CudaException("work before an event", CUresult.CUDA_ERROR_ILLEGAL_ADDRESS);
      }
      runNext(mark.queue);
    }
  }

  @Override
  public Facts facts() {
    return new Facts("Fake GPU", 90, 13_000, 132, 1024, 48 << 10, MEMORY_BYTES, pinsReadOnly);
  }

  @Override
  public synchronized long freeBytes() {
    return MEMORY_BYTES
        - usedByOthers
        - CONTEXT_BYTES
        - sizes.entrySet().stream()
            .filter(entry -> allocations.containsKey(entry.getKey()))
            .mapToLong(Map.Entry::getValue)
            .sum();
  }

  @Override
  public long contextBytes() {
    return CONTEXT_BYTES;
  }

  @Override
  public synchronized long allocate(long bytes) {
    call("allocate", bytes);
    Arena arena = Arena.ofShared();
    long address = HostMemory.open().allocate(bytes, arena).address();
    allocations.put(address, arena);
    sizes.put(address, bytes);
    return address;
  }

  @Override
  public synchronized void free(long address) {
    call("free", sizes.get(address));
    allocations.remove(address).close();
  }

  @Override
  public synchronized void register(long address, long bytes) {
    call("register", bytes);
    registered.put(address, bytes);
  }

  @Override
  public synchronized void registerReadOnly(long address, long bytes) {
    call("registerReadOnly", bytes);
    registered.put(address, bytes);
  }

  @Override
  public synchronized void unregister(long address) {
    call("unregister", registered.get(address));
    if (registered.remove(address) == null) {
      throw new AssertionError("not registered");
    }
  }

  @Override
  public synchronized Queue newQueue() {
    call("newQueue");
    FakeQueue queue = new FakeQueue("queue" + names++, new ArrayDeque<>());
    handles.add(queue);
    return queue;
  }

  @Override
  public synchronized void destroy(Queue queue) {
    call("destroyQueue", queue);
    if (!handles.remove(queue)) {
      throw new AssertionError(queue + " is not alive");
    }
  }

  @Override
  public synchronized Mark newMark() {
    call("newMark");
    FakeMark mark = new FakeMark("mark" + names++);
    handles.add(mark);
    return mark;
  }

  @Override
  public synchronized void destroy(Mark mark) {
    call("destroyMark", mark);
    if (!handles.remove(mark)) {
      throw new AssertionError(mark + " is not alive");
    }
  }

  @Override
  public synchronized void record(Mark mark, Queue queue) {
    call("record", mark, queue);
    FakeMark own = (FakeMark) mark;
    own.queue = (FakeQueue) queue;
    own.queue.pending.add(new Signal(own, ++own.recorded));
  }

  @Override
  public synchronized void await(Queue queue, Mark mark) {
    call("await", queue, mark);
    FakeMark own = (FakeMark) mark;
    ((FakeQueue) queue).pending.add(new Wait(own, own.recorded));
  }

  @Override
  public synchronized boolean isReached(Mark mark) {
    if (lost) {
      throw new CudaException("work before an event", CUresult.CUDA_ERROR_ILLEGAL_ADDRESS);
    }
    FakeMark own = (FakeMark) mark;
    return own.reached == own.recorded;
  }

  @Override
  public synchronized void synchronize(Mark mark) {
    FakeMark own = (FakeMark) mark;
    runUntil(own, own.recorded);
  }

  @Override
  public synchronized float elapsedMillis(Mark from, Mark to) {
    return (float) (((FakeMark) to).millis - ((FakeMark) from).millis);
  }

  @Override
  public synchronized void synchronize(Queue queue) {
    while (!((FakeQueue) queue).pending.isEmpty()) {
      runNext((FakeQueue) queue);
    }
  }

  @Override
  public synchronized void copyToDevice(long to, long from, long bytes, Queue queue) {
    call("copyToDevice", bytes, queue);
    copy(to, from, bytes, queue);
  }

  @Override
  public synchronized void copyToHost(long to, long from, long bytes, Queue queue) {
    call("copyToHost", bytes, queue);
    copy(to, from, bytes, queue);
  }

  @Override
  public synchronized void copyOnDevice(long to, long from, long bytes, Queue queue) {
    call("copyOnDevice", bytes, queue);
    copy(to, from, bytes, queue);
  }

  private static void copy(long to, long from, long bytes, Queue queue) {
    ((FakeQueue) queue).pending.add(new Task(() -> at(to, bytes).copyFrom(at(from, bytes))));
  }

  @Override
  public synchronized void clear(long address, int ints, Queue queue) {
    call("clear", ints, queue);
    ((FakeQueue) queue).pending.add(new Task(() -> at(address, 4L * ints).fill((byte) 0)));
  }

  static MemorySegment at(long address, long bytes) {
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  @Override
  public synchronized Module load(String name, byte[] image) {
    call("load", name);
    FakeModule module = new FakeModule(name, new Image(image));
    handles.add(module);
    return module;
  }

  @Override
  public synchronized void unload(Module module) {
    call("unload", ((FakeModule) module).name);
    handles.remove(module);
  }

  @Override
  public Function function(Module module, String name) {
    call("function", name);
    return new FakeFunction(name, (FakeModule) module);
  }

  @Override
  public synchronized void launch(
      Function function,
      String name,
      Grid grid,
      int threads,
      int sharedBytes,
      Queue queue,
      MemorySegment parameters) {
    call("launch", name, grid.first(), grid.second(), threads, sharedBytes, queue);
    int count = (int) (parameters.byteSize() / Long.BYTES);
    long[] arguments = new long[count];
    for (int i = 0; i < count; i++) {
      arguments[i] = at(parameters.getAtIndex(JAVA_LONG, i), 8).get(JAVA_LONG, 0);
    }
    byte[] image = ((FakeFunction) function).module.image.bytes;
    Runnable run =
        kernels.containsKey(name)
            ? () -> kernels.get(name).accept(i -> arguments[i])
            : () -> runner.run(image, name, grid, threads, arguments);
    ((FakeQueue) queue).pending.add(new Task(run));
  }

  @Override
  public long address(Queue queue) {
    return System.identityHashCode(queue);
  }

  @Override
  public void makeCurrent() {
    if (closed) {
      throw new AssertionError("the context is closed");
    }
  }

  @Override
  public void close() {
    call("close");
    closed = true;
  }
}
