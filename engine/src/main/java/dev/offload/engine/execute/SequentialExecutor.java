package dev.offload.engine.execute;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.Stream;
import dev.offload.planner.Lane;
import dev.offload.planner.Schedule;
import dev.offload.planner.Task;
import java.util.EnumMap;
import java.util.Map;

/** One task after the other in the order of the schedule: slow, and always right. */
public final class SequentialExecutor implements Executor {
  private final TaskActions actions;
  private final TaskListener listener;
  private final Stream stream;
  private final Map<Lane, Long> busy = new EnumMap<>(Lane.class);

  public SequentialExecutor(Device device, TaskActions actions, TaskListener listener) {
    this.actions = actions;
    this.listener = listener;
    this.stream = device.newStream("sequential");
  }

  @Override
  public void run(Schedule schedule) {
    for (Task task : schedule.tasks()) {
      long begin = System.nanoTime();
      if (!actions.isNeeded(task)) {
        listener.done(task, begin, begin);
        continue;
      }
      play(task);
      long end = System.nanoTime();
      busy.merge(task.lane(), end - begin, Long::sum);
      listener.done(task, begin, end);
    }
  }

  /** The time of all tasks. */
  @Override
  public long waitedNanos() {
    return busy.values().stream().mapToLong(Long::longValue).sum();
  }

  private void play(Task task) {
    switch (task.lane()) {
      case DISK, CPU -> actions.onHost(task);
      case H2D, D2H, GPU -> {
        actions.onStream(task, stream);
        stream.synchronize();
      }
    }
  }

  @Override
  public Map<Lane, Long> busyNanos() {
    return Map.copyOf(busy);
  }

  @Override
  public void close() {
    stream.close();
  }
}
