package dev.offload.engine.execute;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.BitSet;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BusyTimeTest {
  @Test
  void shouldCountWhatOverlapsOnceInAnyOrder() {
    Random random = new Random(3);
    for (int round = 0; round < 200; round++) {
      BusyTime time = new BusyTime();
      BitSet busy = new BitSet();
      for (int piece = 0; piece < 100; piece++) {
        int begin = random.nextInt(1000);
        int end = begin + random.nextInt(20) - 2;
        time.add(begin, end);
        busy.set(begin, Math.max(begin, end));
        assertEquals(busy.cardinality(), time.nanos(), "round " + round + ", piece " + piece);
      }
    }
  }

  @Test
  void shouldGoOnForeverWithLittleMemory() {
    BusyTime time = new BusyTime();
    for (long i = 0; i < 10_000; i++) {
      time.add(10 * i, 10 * i + 3);
      time.add(10 * i - 4, 10 * i + 1);
    }
    assertEquals(10_000 * 7, time.nanos());
  }
}
