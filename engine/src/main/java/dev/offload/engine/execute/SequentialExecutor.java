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
  private final Stream stream;
  private final Map<Lane, Long> busy = new EnumMap<>(Lane.class);

  public SequentialExecutor(Device device, TaskActions actions) {
    this.actions = actions;
    this.stream = device.newStream("sequential");
  }

  @Override
  public void run(Schedule schedule) {
    for (Task task : schedule.tasks()) {
      if (!actions.isNeeded(task)) {
        continue;
      }
      long begin = System.nanoTime();
      switch (task.lane()) {
        case DISK, CPU -> actions.onHost(task);
        case H2D, D2H, GPU -> {
          actions.onStream(task, stream);
          stream.synchronize();
        }
      }
      busy.merge(task.lane(), System.nanoTime() - begin, Long::sum);
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
