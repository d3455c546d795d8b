package dev.offload.backends.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.NavigableMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

final class DevicePoolTest {
  private static final long BYTES = 1L << 20;

  private final FakeDriver driver = new FakeDriver();

  @Test
  void shouldGiveEveryByteAndTakeItBack() {
    try (DevicePool pool = new DevicePool(driver, BYTES)) {
      SplittableRandom random = new SplittableRandom(7);
      TreeMap<Long, Long> taken = new TreeMap<>();
      for (int i = 0; i < 2000; i++) {
        if (random.nextBoolean()) {
          take(pool, taken, random.nextLong(0, 60_000));
        } else if (!taken.isEmpty()) {
          Map.Entry<Long, Long> one = taken.pollFirstEntry();
          pool.give(one.getKey(), one.getValue());
        }
      }
      taken.forEach(pool::give);
      // All in one piece again.
      pool.give(pool.take("all", BYTES), BYTES);
    }
  }

  private static void take(DevicePool pool, NavigableMap<Long, Long> taken, long bytes) {
    long address;
    try {
      address = pool.take("test", bytes);
    } catch (IllegalStateException e) {
      return; // full
    }
    assertEquals(0, address % DevicePool.ALIGNMENT);
    Map.Entry<Long, Long> below = taken.floorEntry(address);
    Map.Entry<Long, Long> above = taken.ceilingEntry(address);
    assertTrue(below == null || below.getKey() + below.getValue() <= address);
    assertTrue(above == null || address + bytes <= above.getKey());
    taken.put(address, bytes);
  }

  @Test
  void shouldSayWhatIsFreeAndInWhichPieces() {
    try (DevicePool pool = new DevicePool(driver, BYTES)) {
      long first = pool.take("first", BYTES / 4);
      pool.take("second", BYTES / 4);
      pool.give(first, BYTES / 4);
      IllegalStateException refusal =
          assertThrows(IllegalStateException.class, () -> pool.take("third", BYTES * 3 / 4));
      assertTrue(refusal.getMessage().contains("third needs 768.00 KiB"), refusal::getMessage);
      assertTrue(refusal.getMessage().contains("768.00 KiB free"), refusal::getMessage);
      assertTrue(refusal.getMessage().contains("512.00 KiB"), refusal::getMessage);
    }
  }
}
