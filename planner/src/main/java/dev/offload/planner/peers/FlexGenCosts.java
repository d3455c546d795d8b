package dev.offload.planner.peers;

import dev.offload.planner.flexgen.FlexGenInstance;
import dev.offload.planner.flexgen.FlexGenProgram;
import dev.offload.planner.flexgen.FlexGenSolution;
import dev.offload.planner.flexgen.Shares;
import dev.offload.tensors.Tier;

/**
 * What FlexGen's own cost model says of a policy on the T4 its constants were fitted on. Its
 * constants are those it was published with ({@code CostModelConfig}); memories play no part.
 */
public final class FlexGenCosts {
  private static final double GIB = 1 << 30;

  private FlexGenCosts() {}

  /** Time and throughput of a block by the equations of the cost model. */
  public static FlexGenSolution predict(
      OptModel model, FlexGenPolicy policy, int promptTokens, int generatedTokens) {
    FlexGenInstance instance =
        new FlexGenInstance(
            config(model, promptTokens, generatedTokens),
            new FlexGenInstance.Alpha(1, 1, 1),
            policy.microBatch(),
            policy.microBatches(),
            policy.weights4Bit());
    double device = policy.weightsDevicePercent() / 100.0;
    double host = policy.weightsHostPercent() / 100.0;
    return FlexGenProgram.evaluate(
        instance,
        new Shares(
            new Shares.Tiers(device, host, 1 - device - host),
            allOn(policy.kv()),
            allOn(policy.hidden())));
  }

  private static Shares.Tiers allOn(Tier tier) {
    return switch (tier) {
      case DEVICE -> new Shares.Tiers(1, 0, 0);
      case HOST -> new Shares.Tiers(0, 1, 0);
      case DISK -> new Shares.Tiers(0, 0, 1);
    };
  }

  private static FlexGenInstance.Config config(
      OptModel model, int promptTokens, int generatedTokens) {
    return new FlexGenInstance.Config(
        promptTokens,
        generatedTokens,
        model.layers(),
        model.hidden(),
        4.0 * model.hidden(),
        model.hidden() / 128.0,
        15 * GIB,
        204 * GIB,
        1500 * GIB,
        12.89 * GIB,
        0.97 * GIB,
        4.82 * GIB,
        0.473 * GIB,
        0.746 * GIB,
        2.015 * GIB,
        2.015 * GIB,
        21.24e12,
        4.3e12,
        9.97e12,
        0.079e12,
        0.0123e12,
        0.0168,
        0.0328,
        0.0621);
  }
}
