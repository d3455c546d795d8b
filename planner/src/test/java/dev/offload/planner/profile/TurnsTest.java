package dev.offload.planner.profile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.planner.profile.Turns.Turn;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class TurnsTest {
  private final Turns turns = new Turns();
  private final List<String> taken = new ArrayList<>();

  private Turn sampled(String name, double... seconds) {
    int[] next = new int[1];
    return turns.addSample(
        () -> {
          taken.add(name);
          return seconds[next[0]++ % seconds.length];
        });
  }

  @Test
  void shouldTakeAllInTurnOnceAtLeast() {
    Turn one = sampled("one", 1, 3);
    Turn other = sampled("other", 5);
    turns.measure(0);
    assertEquals(List.of("one", "other"), taken);
    assertEquals(1, one.seconds());
    assertEquals(5, other.seconds());
  }

  @Test
  void shouldMeasureAnew() {
    Turn one = sampled("one", 1, 3, 3);
    turns.measure(0);
    turns.measure(0);
    assertEquals(3, one.seconds(), "what was measured before does not count");
  }

  @Test
  void shouldLeaveNothingOutOfTheMean() {
    Turn one =
        turns.addSample(
            () -> {
              try {
                Thread.sleep(1);
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
              taken.add("one");
              return taken.size() % 2 == 1 ? 1 : 99;
            });
    turns.measure(0.02);
    double odd = Math.ceilDiv(taken.size(), 2);
    double even = taken.size() - odd;
    assertTrue(taken.size() > 1);
    assertEquals((odd + 99 * even) / taken.size(), one.seconds(), 1e-9);
  }

  @Test
  void shouldTimeSoManyThatASampleIsLongEnough() {
    long[] most = new long[1];
    Turn turn = turns.add(count -> most[0] = Math.max(most[0], count));
    turns.measure(0);
    assertTrue(most[0] > 1000, "doing nothing takes many");
    assertTrue(turn.seconds() > 0 && turn.seconds() < 1e-3);
  }
}
