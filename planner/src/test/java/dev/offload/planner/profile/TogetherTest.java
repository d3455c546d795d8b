package dev.offload.planner.profile;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.offload.planner.hardware.HardwareProfile.Sharing;
import org.junit.jupiter.api.Test;

final class TogetherTest {
  private static final Sharing SHARING = new Sharing(40e9, 2, true);

  @Test
  void shouldTakeTheSlowerLaneIfNothingIsShort() {
    Together free = new Together("a", "b", 0.25, 0.25, 1e9, 0.4);
    assertEquals(0.25, free.modelSeconds(SHARING));
    assertEquals(0, free.residual(SHARING));
  }

  @Test
  void shouldCountCores() {
    assertEquals(0.375, new Together("a", "b", 0.25, 1, 1e9, 0.75).modelSeconds(SHARING));
  }

  @Test
  void shouldCountHostMemory() {
    Together both = new Together("a", "b", 0.25, 0.6, 20e9, 0.75);
    assertEquals(0.5, both.modelSeconds(SHARING));
    assertEquals(0.2, both.residual(SHARING), 1e-12);
  }
}
