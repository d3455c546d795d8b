package dev.offload.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class PassTimesTest {
  @Test
  void shouldFindWhatATokenCostsBesidesThePass() {
    PassTimes times = new PassTimes();
    Random random = new Random(1);
    for (int i = 0; i < 200; i++) {
      int tokens = 1 + random.nextInt(500);
      times.add(tokens, 1_000_000 + 3_000L * tokens + random.nextInt(10_000));
    }
    assertEquals(3_000, times.nanosPerToken(), 50);
  }

  @Test
  void shouldCostNothingWhereTokensRideAlong() {
    PassTimes times = new PassTimes();
    Random random = new Random(1);
    for (int i = 0; i < 200; i++) {
      times.add(1 + random.nextInt(500), 2_000_000_000 + random.nextInt(1_000_000));
    }
    assertTrue(times.nanosPerToken() < 1_000, times.nanosPerToken() + " ns");
  }

  @Test
  void shouldTakeTheMeanOfPassesOfOneSize() {
    PassTimes times = new PassTimes();
    assertEquals(0, times.nanosPerToken());
    for (int i = 0; i < 5; i++) {
      times.add(100, 500_000);
    }
    assertEquals(5_000, times.nanosPerToken(), 1);
  }

  @Test
  void shouldForgetSlowFirstPasses() {
    PassTimes times = new PassTimes();
    times.add(500, 5_000_000_000L);
    Random random = new Random(1);
    for (int i = 0; i < 500; i++) {
      int tokens = 1 + random.nextInt(500);
      times.add(tokens, 1_000_000 + 3_000L * tokens);
    }
    assertEquals(3_000, times.nanosPerToken(), 200);
  }
}
