package dev.offload.backends.cpu;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.IntConsumer;

/**
 * The threads of a device, as many as it may keep cores busy. They go through its streams and share
 * the tasks of operations. Tasks are handed out one by one, so a slow core takes fewer of them; the
 * calling thread takes part. Any number of threads may call at once, also from within a task.
 *
 * <p>Work of streams comes first: a worker that helps with an operation leaves it between two tasks
 * when a stream can go on, and an operation never waits for more than a task of each helper. With a
 * thread for each stream instead, more threads than cores wanted to run: a copy could get a core in
 * the middle of an operation whose other threads then waited, and a stream noticed 0.2 to 0.4 ms
 * late that what it waited for was there.
 *
 * <p>A pass consists of thousands of operations of some ten microseconds, so idle workers look for
 * work for {@value #SPIN_NANOS} ns before they park: waking a parked thread costs as much as such
 * an operation.
 */
final class WorkerPool implements AutoCloseable {
  /** How long an idle thread spins before it parks. */
  static final long SPIN_NANOS = 200_000;

  private static final int SPINS_PER_CLOCK_READ = 32;

  private final Queue<Runnable> streams = new ConcurrentLinkedQueue<>();
  private final Queue<Job> jobs = new ConcurrentLinkedQueue<>();
  private final List<Worker> workers;
  private volatile boolean closed;

  /**
   * @param threads at least 1
   */
  WorkerPool(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads must be at least 1, not " + threads);
    }
    List<Worker> started = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      started.add(new Worker(i));
    }
    workers = Collections.unmodifiableList(started);
    workers.forEach(worker -> worker.thread.start());
  }

  int threads() {
    return workers.size();
  }

  /** Has some worker do this, before it helps with operations; it must not throw. */
  void execute(Runnable ofStream) {
    streams.add(ofStream);
    wake(1);
  }

  /** Whether something was given to {@link #execute} that nobody has begun. */
  boolean areWanted() {
    return !streams.isEmpty();
  }

  /**
   * Calls {@code body} once with each number from 0 to {@code tasks - 1}, in any order and on
   * several threads, and returns when all calls have returned. If a call throws, tasks not yet
   * begun are dropped and the first error is thrown here.
   */
  void parallelFor(int tasks, IntConsumer body) {
    if (tasks <= 1 || workers.size() == 1) {
      for (int i = 0; i < tasks; i++) {
        body.accept(i);
      }
      return;
    }
    if (closed) {
      throw new IllegalStateException("the worker pool is closed");
    }
    Job job = new Job(tasks, body);
    jobs.add(job);
    wake(tasks - 1);
    job.takePart(() -> false);
    jobs.remove(job);
    job.awaitOthers();
    job.rethrow();
  }

  private void wake(int helpers) {
    for (int i = 0; i < workers.size() && helpers > 0; i++) {
      if (workers.get(i).wake()) {
        helpers--;
      }
    }
  }

  /** Ends the threads. No call may be in progress. */
  @Override
  public void close() {
    closed = true;
    workers.forEach(Worker::wake);
    for (Worker worker : workers) {
      joinUninterruptibly(worker.thread);
    }
  }

  private static void joinUninterruptibly(Thread thread) {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** One call of {@link #parallelFor}. */
  private static final class Job {
    private final int tasks;
    private final IntConsumer body;
    private final Thread caller = Thread.currentThread();
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger participants = new AtomicInteger();
    private final AtomicReference<Throwable> error = new AtomicReference<>();
    private volatile boolean callerParks;

    Job(int tasks, IntConsumer body) {
      this.tasks = tasks;
      this.body = body;
    }

    boolean exhausted() {
      return next.get() >= tasks;
    }

    /**
     * Runs tasks until none is left to begin, or something else is to be done. Whoever joins counts
     * as a participant before drawing a task; so once no task is left and nobody takes part, every
     * task has run.
     */
    void takePart(BooleanSupplier elsewhere) {
      participants.incrementAndGet();
      try {
        while (!elsewhere.getAsBoolean()) {
          int task = next.getAndIncrement();
          if (task >= tasks) {
            break;
          }
          body.accept(task);
        }
      } catch (Throwable e) { // handed to the caller of parallelFor
        error.compareAndSet(null, e);
        next.set(tasks);
      } finally {
        if (participants.decrementAndGet() == 0 && callerParks) {
          LockSupport.unpark(caller);
        }
      }
    }

    void awaitOthers() {
      long spinUntil = System.nanoTime() + SPIN_NANOS;
      for (int spins = 1; participants.get() > 0; spins++) {
        Thread.onSpinWait();
        if (spins % SPINS_PER_CLOCK_READ == 0 && System.nanoTime() > spinUntil) {
          parkUntilAlone();
          return;
        }
      }
    }

    private void parkUntilAlone() {
      callerParks = true;
      boolean interrupted = false;
      while (participants.get() > 0) {
        LockSupport.park(this);
        interrupted |= Thread.interrupted();
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }

    void rethrow() {
      switch (error.get()) {
        case null -> {}
        case RuntimeException e -> throw e;
        case Error e -> throw e;
        case Throwable e -> throw new AssertionError("an IntConsumer threw a checked exception", e);
      }
    }
  }

  private final class Worker {
    private final Thread thread;
    private final AtomicBoolean parked = new AtomicBoolean();

    Worker(int number) {
      thread = Thread.ofPlatform().daemon().name("offload-worker-" + number).unstarted(this::run);
    }

    /** Whether it was parked and nobody else has woken it. */
    boolean wake() {
      boolean wakes = parked.get() && parked.compareAndSet(true, false);
      if (wakes) {
        LockSupport.unpark(thread);
      }
      return wakes;
    }

    private void run() {
      while (!closed) {
        Runnable stream = streams.poll();
        if (stream != null) {
          stream.run();
        } else {
          help();
        }
      }
    }

    private void help() {
      Job job = jobs.peek();
      if (job == null) {
        awaitWork();
      } else if (job.exhausted()) {
        jobs.remove(job);
      } else {
        job.takePart(WorkerPool.this::areWanted);
      }
    }

    private boolean isIdle() {
      return streams.isEmpty() && jobs.isEmpty() && !closed;
    }

    private void awaitWork() {
      long spinUntil = System.nanoTime() + SPIN_NANOS;
      for (int spins = 1; isIdle(); spins++) {
        Thread.onSpinWait();
        if (spins % SPINS_PER_CLOCK_READ == 0) {
          if (System.nanoTime() > spinUntil) {
            park();
            return;
          }
          letOthersRun();
        }
      }
    }

    /** Threads of lanes, which are told of what streams have reached. Nothing depends on it. */
    @SuppressWarnings("ThreadPriorityCheck")
    private static void letOthersRun() {
      Thread.yield();
    }

    /** Whoever adds work looks who is parked afterwards; so it is seen here or there. */
    private void park() {
      parked.set(true);
      while (isIdle() && parked.get()) {
        LockSupport.park(WorkerPool.this);
      }
      parked.set(false);
    }
  }
}
