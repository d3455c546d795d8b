package dev.offload.engine.execute;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.api.Stream;
import dev.offload.backends.cpu.CpuBackend;
import dev.offload.planner.Lane;
import dev.offload.planner.Schedule;
import dev.offload.planner.Task;
import dev.offload.planner.Work;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class OverlappedExecutorTest {

  /** The pass before is accounted for while the next one runs, which may be done by then. */
  @Test
  @Timeout(60)
  void shouldReturnFromPassThatIsDoneBeforeTheOneBeforeIsAccountedFor() {
    Thread engine = Thread.currentThread();
    CountDownLatch secondDone = new CountDownLatch(1);
    List<Long> heard = new ArrayList<>();
    TaskActions actions =
        new TaskActions() {
          @Override
          public boolean isNeeded(Task task) {
            return true;
          }

          @Override
          public void onStream(Task task, Stream stream) {
            throw new AssertionError("no task has a stream");
          }

          @Override
          public void onHost(Task task) {
            // Not before the engine's thread, done with accounting, waits for the first pass.
            while (task.id() == 0 && engine.getState() != Thread.State.WAITING) {
              Thread.onSpinWait();
            }
            if (task.id() == 2) {
              secondDone.countDown();
            }
          }
        };
    TaskListener listener =
        (task, _, _) -> {
          heard.add(task.id());
          if (task.id() == 0) {
            await(secondDone);
          }
        };
    try (Device device = new CpuBackend().open(new DeviceOptions(0, 1 << 20, 1 << 20, 1));
        Executor executor = new OverlappedExecutor(device, actions, listener)) {
      executor.run(new Schedule(List.of(host(0)), 0));
      assertEquals(List.of(), heard);
      executor.run(new Schedule(List.of(host(1), host(2)), 1));
      executor.account();
      assertTrue(heard.containsAll(List.of(0L, 1L)), heard::toString);
      assertTrue(executor.busyNanos().get(Lane.CPU) > 0);
    }
  }

  private static Task host(long id) {
    return new Task(id, Lane.CPU, new Work.Regroup(0), List.of(), 0, 0);
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(30, SECONDS));
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
