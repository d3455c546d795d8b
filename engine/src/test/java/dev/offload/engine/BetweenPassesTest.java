package dev.offload.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class BetweenPassesTest {
  private final BetweenPasses between = new BetweenPasses();

  @Test
  void shouldKnowNothingBeforeTheFirst() {
    assertEquals(OptionalDouble.empty(), between.seconds());
  }

  @Test
  void shouldTakeTheMean() {
    add(100, 3_000_000);
    assertEquals(3e-3, between.seconds().orElseThrow(), 1e-9);
    between.add(4_000_000);
    double mean = between.seconds().orElseThrow();
    assertTrue(mean > 3e-3 && mean < 3.5e-3, mean + " s");
  }

  @Test
  void shouldForgetHowSlowItBegan() {
    add(10, 50_000_000);
    add(100, 1_000_000);
    assertEquals(1e-3, between.seconds().orElseThrow(), 1e-5);
  }

  private void add(int passes, long nanos) {
    for (int i = 0; i < passes; i++) {
      between.add(nanos);
    }
  }
}
