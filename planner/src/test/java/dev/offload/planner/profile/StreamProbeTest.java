package dev.offload.planner.profile;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.offload.planner.profile.StreamProbe.Found;
import org.junit.jupiter.api.Test;

final class StreamProbeTest {
  /** Ten copies of 3 s, 2 of them beside products. */
  private static Found found(double arrivedSeconds) {
    return new Found(10, 30, 20, arrivedSeconds, 5, 20);
  }

  @Test
  void shouldSayHowMuchProductsSlowCopiesDown() {
    assertEquals(2, found(20).slowDown(2), 1e-12, "1 s alone is half of a copy");
    assertEquals(1, found(20).slowDown(4), 1e-12, "no faster than alone");
    assertEquals(Double.MAX_VALUE, found(20).slowDown(1), "all that was copied was copied alone");
  }

  @Test
  void shouldSayHowMuchCachesKeep() {
    assertEquals(0, found(40).kept(3, 1), 1e-12, "as slow as from memory");
    assertEquals(1, found(40.0 / 3).kept(3, 1), 1e-12, "as fast as again");
    assertEquals(0.5, found(40 * 2.0 / 3).kept(3, 1), 1e-12);
    assertEquals(1, found(1).kept(3, 1), 1e-12, "no more than all");
    assertEquals(0, found(20).kept(3, 2.9), 1e-12, "caches spare too little to tell");
    assertEquals(0, new Found(10, 30, 20, 20, 0, 0).kept(3, 1), 1e-12, "nothing to compare with");
  }
}
