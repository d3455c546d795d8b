package dev.offload.planner.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.offload.tensors.Tier;
import org.junit.jupiter.api.Test;

class WeightHomesTest {
  @Test
  void shouldMoveWholeMatrices() {
    assertEquals(new WeightHomes(0.75, 0), WeightHomes.of(policy(20, 80), 4));
    assertEquals(new WeightHomes(1, 0), WeightHomes.of(policy(20, 80), 2));
    assertEquals(new WeightHomes(1, 0), WeightHomes.of(policy(10, 90), 4));
    assertEquals(new WeightHomes(0.5, 0.5), WeightHomes.of(policy(0, 50), 4));
    assertEquals(new WeightHomes(0, 0), WeightHomes.of(policy(100, 0), 4));
    assertEquals(new WeightHomes(0, 1), WeightHomes.of(policy(0, 0), 1));
  }

  private static FlexGenPolicy policy(int device, int host) {
    return new FlexGenPolicy(
        1, 1, device, host, Tier.HOST, Tier.HOST, false, false, false, true, true, true);
  }
}
