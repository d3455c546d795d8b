package dev.offload.planner.profile;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.offload.planner.profile.StreamProbe.Found;
import dev.offload.planner.profile.StreamProbe.Timed;
import org.junit.jupiter.api.Test;

final class StreamProbeTest {
  /** Five of 3 s each when nothing is copied. */
  private static final Timed RESIDENTS = new Timed(5, 15, 0);

  /** Ten copies of 3 s, 2 of them beside products. */
  private static Found found(double arrivedSeconds) {
    return found(new Timed(10, arrivedSeconds, 0), RESIDENTS);
  }

  private static Found found(Timed arrived, Timed residents) {
    return new Found(new Timed(10, 30, 20), arrived, residents);
  }

  @Test
  void shouldSayHowMuchTimedSlowCopiesDown() {
    assertEquals(2, found(20).slowDown(2), 1e-12, "1 s alone is half of a copy");
    assertEquals(1, found(20).slowDown(4), 1e-12, "no faster than alone");
    assertEquals(Double.MAX_VALUE, found(20).slowDown(1), "all that was copied was copied alone");
  }

  @Test
  void shouldSayHowMuchCachesKeep() {
    assertEquals(0, found(40).kept(3, 1), 1e-12, "slower than from memory");
    assertEquals(0, found(30).kept(3, 1), 1e-12, "as slow as from memory");
    assertEquals(1, found(10).kept(3, 1), 1e-12, "as fast as again");
    assertEquals(0.5, found(20).kept(3, 1), 1e-12);
    assertEquals(1, found(1).kept(3, 1), 1e-12, "no more than all");
    assertEquals(0, found(20).kept(3, 2.9), 1e-12, "caches spare too little to tell");
    Timed arrived = new Timed(10, 20, 0);
    assertEquals(0, found(arrived, Timed.NONE).kept(3, 1), 1e-12, "nothing to compare with");
  }

  @Test
  void shouldNotTakeWhatCopiesSlowDownForWhatCachesSpare() {
    // Half as fast beside copies: 5 s alone and 20 s beside them for 15 s of products.
    Timed residents = new Timed(5, 25, 20);
    assertEquals(0, found(new Timed(10, 30, 0), residents).kept(3, 1), 1e-12);
    assertEquals(0.5, found(new Timed(10, 30, 20), residents).kept(3, 1), 1e-12);
    assertEquals(0.5, found(new Timed(10, 20, 0), residents).kept(3, 1), 1e-12);
  }
}
