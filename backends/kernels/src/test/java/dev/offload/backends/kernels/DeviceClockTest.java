package dev.offload.backends.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

final class DeviceClockTest {
  private final DeviceClock clock = new DeviceClock();

  @Test
  void shouldKeepEndsBetweenEnqueuingAndSeeing() {
    assertEquals(1100, clock.toHost(1000, 50, 1100));
    // The clocks are at most 1010 apart.
    assertEquals(1210, clock.toHost(1150, 200, 1210));
    // And the first work told nothing better than that.
    assertEquals(1310, clock.toHost(1200, 300, 1400));
  }

  @Test
  void shouldFollowClocksThatDriftApart() {
    clock.toHost(1000, 0, 1000);
    assertEquals(2005, clock.toHost(2005, 1000, 2010));
    assertEquals(3005, clock.toHost(3000, 2000, 3010));
  }
}
