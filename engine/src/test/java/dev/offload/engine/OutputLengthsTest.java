package dev.offload.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class OutputLengthsTest {
  private static final int STRETCH = 8;

  @Test
  void shouldTakeAllLengthsAsEquallyLikelyBeforeItKnowsAny() {
    OutputLengths lengths = new OutputLengths(STRETCH);
    double runs = 1;
    for (int stretch = 0; stretch < 10; stretch++) {
      assertEquals(1 - stretch / 10.0, runs, 1e-9);
      runs *= 1 - lengths.endsIn(stretch, 80);
    }
    assertEquals(0, runs, 1e-9);
  }

  @Test
  void shouldLearnHowLongOutputsAre() {
    OutputLengths lengths = new OutputLengths(STRETCH);
    Random random = new Random(1);
    for (int i = 0; i < 2000; i++) {
      output(lengths, 1 + random.nextInt(40), 400);
    }
    assertEquals(20, expected(lengths, 400), 3);
  }

  @Test
  void shouldNotTakeLimitsForEnds() {
    OutputLengths lengths = new OutputLengths(STRETCH);
    Random random = new Random(1);
    for (int i = 0; i < 2000; i++) {
      output(lengths, 1 + random.nextInt(200), i % 2 == 0 ? 24 : 400);
    }
    assertEquals(100, expected(lengths, 400), 10);
  }

  @Test
  void shouldCountThoseThatStillRun() {
    OutputLengths lengths = new OutputLengths(STRETCH);
    for (int i = 0; i < 10; i++) {
      output(lengths, 4, 400);
    }
    for (int i = 0; i < 90; i++) {
      for (int tokens = 1; tokens <= 40; tokens++) {
        lengths.grew(tokens, false);
      }
    }
    assertTrue(expected(lengths, 400) > 100, expected(lengths, 400) + " tokens");
    assertEquals(0.1, lengths.endsIn(0, 400), 0.01);
  }

  private static void output(OutputLengths lengths, int length, int most) {
    int tokens = Math.min(length, most);
    for (int i = 1; i <= tokens; i++) {
      lengths.grew(i, i == length && i < most);
    }
  }

  /** Mean length, up to half a stretch. */
  private static double expected(OutputLengths lengths, int most) {
    double runs = 1;
    double tokens = 0;
    for (int stretch = 0; stretch * STRETCH < most; stretch++) {
      double ends = lengths.endsIn(stretch, most);
      tokens += runs * STRETCH * (1 - ends / 2);
      runs *= 1 - ends;
    }
    return tokens;
  }
}
