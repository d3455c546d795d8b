package dev.offload.engine.execute;

import dev.offload.planner.Lane;
import dev.offload.planner.Schedule;
import java.util.Map;

/** Plays schedules. Owned by the engine thread. */
public interface Executor extends AutoCloseable {

  /**
   * Plays a schedule and returns when its result is there; tasks behind the result may still run.
   *
   * @throws IllegalStateException if a task failed; the cause says why
   */
  void run(Schedule schedule);

  /** Nanoseconds that {@link #run} has done nothing but wait for results so far. */
  long waitedNanos();

  /** Nanoseconds that each lane has been busy so far. */
  Map<Lane, Long> busyNanos();

  /** Waits for what still runs and gives the streams back. */
  @Override
  void close();
}
