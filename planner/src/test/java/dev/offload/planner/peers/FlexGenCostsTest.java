package dev.offload.planner.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** FlexGen's cost model is known to be off by these factors. */
class FlexGenCostsTest {
  private final FlexGenSuite suite = FlexGenSuite.load();

  @Test
  void shouldBeAsFarOffAsFlexGensCostModelIs() {
    assertEquals(2.41, predict("opt-6.7b") / 25.26, 0.01);
    assertEquals(0.97, predict("opt-30b") / 7.32, 0.01);
    assertEquals(1 / 4.5, predict("opt-175b") / 0.69, 0.01);
  }

  private double predict(String model) {
    return FlexGenCosts.predict(
            OptModel.named(model).orElseThrow(),
            suite.policy(model, 512, 32, false).orElseThrow(),
            512,
            32)
        .tokensPerSecond();
  }
}
