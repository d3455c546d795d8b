package dev.offload.planner.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.offload.tensors.Tier;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class FlexGenLoopTest {
  private static final Path PUBLISHED = Path.of("..", "examples", "published.json");
  private static final OptModel MODEL = new OptModel("opt-6.7b", 32, 4096);
  private static final FlexGenMachine T4 = FlexGenMachine.T4;
  private static final double VOCABULARY = 50272;
  private static final double EXACT = 1e-9;

  /** Bytes of all matrices that are multiplied, and of all that are loaded. */
  private static final double PRODUCTS = 2 * (32 * 12.0 * 4096 * 4096 + VOCABULARY * 4096);

  private static final double WEIGHTS = PRODUCTS + 2 * VOCABULARY * 4096;

  @Test
  void shouldComeWithinAFifthOfAllThatFlexGenMeasured() throws IOException {
    FlexGenSuite suite = FlexGenSuite.load();
    List<Double> errors = new ArrayList<>();
    for (JsonNode point : new ObjectMapper().readTree(PUBLISHED.toFile()).get("points")) {
      if (!point.get("system").asText().equals("FlexGen")) {
        continue;
      }
      String model = point.get("model").asText();
      int prompt = point.get("prompt_tokens").asInt();
      boolean quantised = point.get("format").asText().startsWith("4-bit");
      PeerPrediction prediction =
          FlexGenLoop.predict(
              OptModel.named(model).orElseThrow(),
              suite.policy(model, prompt, 32, quantised).orElseThrow(),
              T4,
              prompt,
              32);
      double published = point.get("generated_tokens_per_s").asDouble();
      double error = Math.abs(prediction.tokensPerSecond() / published - 1);
      assertTrue(error < 0.2, () -> point + " is off by " + error);
      errors.add(error);
    }
    assertEquals(12, errors.size());
    Collections.sort(errors);
    assertTrue(errors.get(6) < 0.03, () -> "median error " + errors.get(6));
  }

  @Test
  void shouldReadAllWeightsAndTheCachePerTokenOnTheDevice() {
    PeerPrediction prediction = FlexGenLoop.predict(MODEL, onDevice(2, 1, false), T4, 512, 2);
    double cache = 32 * 2 * 2.0 * 2 * (512 + 1) * 4096;
    assertEquals(
        PRODUCTS / T4.deviceMemory() + cache / T4.deviceAttention(),
        prediction.decodeSeconds(),
        EXACT);
    assertEquals(Activity.MATRIX_PRODUCTS, prediction.bottleneck());
    double seconds = prediction.prefillSeconds() + prediction.decodeSeconds();
    assertEquals(2 * 2 / seconds, prediction.tokensPerSecond(), EXACT);
  }

  @Test
  void shouldLoadWeightsBesideTheFirstMicroBatchOnly() {
    PeerPrediction one = FlexGenLoop.predict(MODEL, weightsOnHost(1), T4, 64, 2);
    assertEquals(WEIGHTS / T4.hostToDevice(), one.decodeSeconds(), EXACT);
    PeerPrediction three = FlexGenLoop.predict(MODEL, weightsOnHost(3), T4, 64, 2);
    double cache = 32 * 2 * 2.0 * (64 + 1) * 4096;
    double batch = PRODUCTS / T4.deviceMemory() + cache / T4.deviceAttention();
    assertEquals(WEIGHTS / T4.hostToDevice() + 2 * batch, three.decodeSeconds(), EXACT);
  }

  @Test
  void shouldWaitForCopiesOutOfPageableMemoryBeforeComputing() {
    FlexGenPolicy pinned = weightsOnHost(1);
    FlexGenPolicy pageable =
        new FlexGenPolicy(
            1, 1, 0, 100, Tier.DEVICE, Tier.DEVICE, false, false, false, false, true, false);
    double more =
        FlexGenLoop.predict(MODEL, pageable, T4, 64, 2).decodeSeconds()
            - FlexGenLoop.predict(MODEL, pinned, T4, 64, 2).decodeSeconds();
    assertEquals(WEIGHTS / T4.pageableCopy(), more, EXACT);
  }

  @Test
  void shouldProjectFromTenLayersOfTheSecondToken() {
    PeerPrediction two = FlexGenLoop.predict(MODEL, onDevice(2, 1, true), T4, 512, 2);
    PeerPrediction four = FlexGenLoop.predict(MODEL, onDevice(2, 1, true), T4, 512, 4);
    assertEquals(3 * two.decodeSeconds(), four.decodeSeconds(), EXACT);
    double layers = 66 / 2.0;
    double cache = 2 * 2.0 * 2 * (512 + 1) * 4096;
    double layer = 2 * 12.0 * 4096 * 4096 / T4.deviceMemory() + cache / T4.deviceAttention();
    assertEquals(layers * layer, two.decodeSeconds(), EXACT);
  }

  @Test
  void shouldRefuseWhatCannotBe() {
    OptModel small = new OptModel("small", 8, 4096);
    assertThrows(
        IllegalArgumentException.class,
        () -> FlexGenLoop.predict(small, onDevice(2, 1, true), T4, 512, 2));
    assertThrows(
        IllegalArgumentException.class,
        () -> FlexGenLoop.predict(MODEL, onDevice(2, 1, false), T4, 0, 2));
    assertThrows(IllegalArgumentException.class, () -> onDevice(0, 1, false));
  }

  @Test
  void shouldHaveEveryPolicyOfTheSuite() {
    FlexGenSuite suite = FlexGenSuite.load();
    FlexGenPolicy policy = suite.policy("opt-175b", 512, 32, false).orElseThrow();
    assertEquals(256, policy.sequences());
    assertEquals(Tier.DISK, policy.kv());
    assertTrue(policy.cpuAttention() && !policy.pinnedWeights() && policy.projected());
    assertTrue(suite.policy("opt-175b", 512, 33, false).isEmpty());
  }

  private static FlexGenPolicy onDevice(int microBatch, int microBatches, boolean projected) {
    return new FlexGenPolicy(
        microBatch,
        microBatches,
        100,
        0,
        Tier.DEVICE,
        Tier.DEVICE,
        false,
        false,
        false,
        true,
        false,
        projected);
  }

  private static FlexGenPolicy weightsOnHost(int microBatches) {
    return new FlexGenPolicy(
        1, microBatches, 0, 100, Tier.DEVICE, Tier.DEVICE, false, false, false, true, true, false);
  }
}
