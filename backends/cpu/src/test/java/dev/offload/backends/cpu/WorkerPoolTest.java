package dev.offload.backends.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 10, unit = TimeUnit.MINUTES)
class WorkerPoolTest {

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 8})
  void shouldRunEveryTaskOnce(int threads) {
    try (WorkerPool pool = new WorkerPool(threads)) {
      assertEquals(threads, pool.threads());
      for (int tasks : new int[] {0, 1, 2, 7, 1000}) {
        for (int repetition = 0; repetition < 200; repetition++) {
          AtomicIntegerArray calls = new AtomicIntegerArray(tasks);
          pool.parallelFor(tasks, calls::incrementAndGet);
          for (int i = 0; i < tasks; i++) {
            assertEquals(1, calls.get(i));
          }
        }
      }
    }
  }

  @Test
  void shouldShareTasksAmongThreads() throws InterruptedException {
    try (WorkerPool pool = new WorkerPool(2)) {
      CountDownLatch bothRun = new CountDownLatch(2);
      pool.parallelFor(
          2,
          task -> {
            bothRun.countDown();
            awaitLatch(bothRun); // returns only if the other task runs at the same time
          });
      assertEquals(0, bothRun.getCount());
    }
  }

  @Test
  void shouldWakeParkedWorkers() throws InterruptedException {
    try (WorkerPool pool = new WorkerPool(3)) {
      for (int repetition = 0; repetition < 20; repetition++) {
        Thread.sleep(2);
        CountDownLatch allRun = new CountDownLatch(3);
        pool.parallelFor(
            3,
            task -> {
              allRun.countDown();
              awaitLatch(allRun);
            });
      }
    }
  }

  @Test
  void shouldServeConcurrentAndNestedCallers() throws Exception {
    try (WorkerPool pool = new WorkerPool(3);
        ExecutorService callers = Executors.newFixedThreadPool(4)) {
      List<Future<Integer>> sums = new ArrayList<>();
      for (int caller = 0; caller < 4; caller++) {
        sums.add(callers.submit(() -> countNested(pool)));
      }
      for (Future<Integer> sum : sums) {
        assertEquals(200 * 10 * 5, sum.get());
      }
    }
  }

  private static int countNested(WorkerPool pool) {
    AtomicInteger count = new AtomicInteger();
    for (int repetition = 0; repetition < 200; repetition++) {
      pool.parallelFor(10, outer -> pool.parallelFor(5, inner -> count.incrementAndGet()));
    }
    return count.get();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4})
  void shouldThrowTheErrorOfATaskAtTheCallerAndGoOn(int threads) {
    try (WorkerPool pool = new WorkerPool(threads)) {
      for (int repetition = 0; repetition < 100; repetition++) {
        IllegalStateException error = new IllegalStateException("task 3");
        assertSame(
            error,
            assertThrows(
                IllegalStateException.class,
                () -> pool.parallelFor(8, task -> failAt(3, task, error))));
      }
      AtomicInteger calls = new AtomicInteger();
      pool.parallelFor(8, task -> calls.incrementAndGet());
      assertEquals(8, calls.get());
    }
  }

  /** Whoever helps with tasks leaves them as soon as a stream can go on. */
  @Test
  void shouldRunStreamsBeforeItHelps() {
    try (WorkerPool pool = new WorkerPool(2)) {
      Thread caller = Thread.currentThread();
      CountDownLatch helped = new CountDownLatch(1);
      CountDownLatch asked = new CountDownLatch(1);
      CountDownLatch streamRan = new CountDownLatch(1);
      AtomicInteger begunInstead = new AtomicInteger();
      pool.parallelFor(
          20_000,
          _ -> {
            if (Thread.currentThread() != caller) {
              begunInstead.addAndGet(asked.getCount() == 0 && pool.areWanted() ? 1 : 0);
              helped.countDown();
              awaitLatch(asked);
            } else if (asked.getCount() > 0) {
              awaitLatch(helped);
              pool.execute(streamRan::countDown);
              asked.countDown();
              awaitLatch(streamRan);
            }
          });
      // One that each had drawn at that moment.
      assertTrue(begunInstead.get() <= 2, begunInstead + " tasks began while the stream waited");
    }
  }

  private static void failAt(int failing, int task, RuntimeException error) {
    if (task == failing) {
      throw error;
    }
  }

  @Test
  void shouldRefuseToHaveNoThreads() {
    assertThrows(IllegalArgumentException.class, () -> new WorkerPool(0));
  }

  private static void awaitLatch(CountDownLatch latch) {
    try {
      if (!latch.await(5, TimeUnit.MINUTES)) {
        throw new AssertionError("tasks did not run at the same time");
      }
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
