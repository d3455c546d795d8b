package dev.offload.engine.execute;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.Event;
import dev.offload.planner.Lane;
import dev.offload.planner.LaneQueue;
import dev.offload.planner.Schedule;
import dev.offload.planner.Task;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;

/**
 * All lanes at once. Every queue of a lane has a feeder thread that goes through the queue's tasks
 * in order, waits until what a task depends on has been issued, and enqueues it behind the events
 * of those; only the host's lanes wait for the work itself. So a feeder runs ahead of its stream as
 * far as ring slots allow.
 */
public final class OverlappedExecutor implements Executor {
  private final TaskActions actions;
  private final Map<LaneQueue, LaneFeeder> feeders = new EnumMap<>(LaneQueue.class);
  private final Map<Long, Completion> pending = new ConcurrentHashMap<>();
  private final AtomicReference<Throwable> failure = new AtomicReference<>();
  private final LaneClock clock;
  private long waited;

  /**
   * @param listener hears of tasks at the beginning of the next pass at the latest, and when busy
   *     times are asked for
   */
  public OverlappedExecutor(Device device, TaskActions actions, TaskListener listener) {
    this.actions = actions;
    this.clock = new LaneClock(listener);
    for (LaneQueue queue : LaneQueue.values()) {
      feeders.put(
          queue,
          switch (queue.lane()) {
            case DISK, CPU -> LaneFeeder.onHost(queue, this);
            case H2D, D2H, GPU ->
                LaneFeeder.onStream(
                    queue, this, device.newStream(queue.name()), device.facts().sharesHostMemory());
          });
    }
    feeders.values().forEach(LaneFeeder::start);
  }

  @Override
  public void run(Schedule schedule) {
    throwFailure();
    clock.account(pending);
    for (Task task : schedule.tasks()) {
      pending.put(task.id(), new Completion(task));
    }
    for (Task task : schedule.tasks()) {
      feeders.get(LaneQueue.of(task)).feed(pending.get(task.id()));
    }
    long begin = System.nanoTime();
    try {
      Event result = pending.get(schedule.resultTask()).awaitIssued();
      if (result != null) {
        result.synchronize();
      }
      waited += System.nanoTime() - begin;
    } catch (Completion.AbandonedException e) {
      throwFailure();
      throw e;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted during a pass", e);
    }
    throwFailure();
  }

  private void throwFailure() {
    Throwable cause = failure.get();
    if (cause != null) {
      throw new IllegalStateException("a pass failed: " + cause.getMessage(), cause);
    }
  }

  TaskActions actions() {
    return actions;
  }

  /** What a task waits for; null if that was done long ago. */
  Completion completion(long task) {
    return pending.get(task);
  }

  /** A lane failed: nothing that is still waiting will run. */
  void fail(Throwable cause) {
    failure.compareAndSet(null, cause);
    pending.values().forEach(Completion::abandon);
  }

  boolean hasFailed() {
    return failure.get() != null;
  }

  @Override
  public long waitedNanos() {
    return waited;
  }

  @Override
  public Map<Lane, Long> busyNanos() {
    clock.account(pending);
    return clock.busyNanos();
  }

  @Override
  public void close() {
    feeders.values().forEach(LaneFeeder::close);
  }

  /** Adds up how long lanes were busy, and tells who did what when. Owned by the engine thread. */
  private static final class LaneClock {
    /** How many finished tasks are remembered for those that waited for them. */
    private static final int MEMORY = 16384;

    private final Map<Lane, BusyTime> busy = new EnumMap<>(Lane.class);
    private final Map<LaneQueue, Long> lastEnd = new EnumMap<>(LaneQueue.class);
    private final Map<Long, Long> ends = new HashMap<>();
    private final Deque<Long> endOrder = new ArrayDeque<>();
    private final TaskListener listener;
    private long next;

    LaneClock(TaskListener listener) {
      this.listener = listener;
    }

    /** Accounts for all tasks that are done, in order, and forgets them. */
    void account(Map<Long, Completion> pending) {
      for (Completion completion = pending.get(next);
          completion != null && completion.isDone();
          completion = pending.get(next)) {
        Task task = completion.task();
        LaneQueue queue = LaneQueue.of(task);
        long begin =
            Math.max(completion.issuedNanos(), lastEnd.getOrDefault(queue, Long.MIN_VALUE));
        for (long earlier : task.after()) {
          begin = Math.max(begin, ends.getOrDefault(earlier, Long.MIN_VALUE));
        }
        long end = completion.doneNanos();
        busy.computeIfAbsent(task.lane(), _ -> new BusyTime()).add(begin, end);
        lastEnd.merge(queue, end, Math::max);
        listener.done(task, begin, end);
        ends.put(task.id(), end);
        endOrder.addLast(task.id());
        if (endOrder.size() > MEMORY) {
          ends.remove(endOrder.removeFirst());
        }
        pending.remove(next++);
      }
    }

    Map<Lane, Long> busyNanos() {
      Map<Lane, Long> nanos = new EnumMap<>(Lane.class);
      busy.forEach((lane, time) -> nanos.put(lane, time.nanos()));
      return nanos;
    }
  }
}
