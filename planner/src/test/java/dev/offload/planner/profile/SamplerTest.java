package dev.offload.planner.profile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

final class SamplerTest {
  @Test
  void shouldTakeTheMiddle() {
    assertEquals(3, Sampler.median(new double[] {9, 1, 3}));
    assertEquals(2.5, Sampler.median(new double[] {9, 1, 2, 3}));
  }

  @Test
  void shouldDivideByTheNumberOfItems() {
    double seconds =
        new Sampler(0.01)
            .perItem(
                count -> {
                  long end = System.nanoTime() + count * 1_000_000L;
                  while (System.nanoTime() < end) {
                    Thread.onSpinWait();
                  }
                });
    assertTrue(seconds >= 1e-3, () -> seconds + " s");
  }

  @Test
  void shouldWaitForAllOfACrewBeforeItFails() {
    AtomicInteger done = new AtomicInteger();
    Runnable slow =
        () -> {
          LockSupport.parkNanos(20_000_000);
          done.incrementAndGet();
        };
    Runnable failing =
        () -> {
          throw new IllegalStateException("broken");
        };
    IllegalStateException e =
        assertThrows(
            IllegalStateException.class, () -> Crew.run("test", List.of(failing, slow, slow)));
    assertEquals("broken", e.getMessage());
    assertEquals(2, done.get());
  }
}
