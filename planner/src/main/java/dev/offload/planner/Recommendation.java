package dev.offload.planner;

import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.tensors.Tier;
import java.util.List;
import java.util.Map;

/**
 * A plan, what it should reach on a machine, and why it was chosen.
 *
 * @param plan what lives where
 * @param hardware the machine
 * @param workload what is to be computed
 * @param prediction what to expect
 * @param memory budgets and what takes them, per tier
 * @param advice what more of something would give, the most useful first
 * @param alternatives the next best plans, best first
 * @param curve how many tokens per second each number of sequences in flight gives, ascending
 * @param operations what the operations of a pass need, in the order of a pass
 * @param warnings what the user should know before anything is bought or run
 */
public record Recommendation(
    Plan plan,
    HardwareProfile hardware,
    Workload workload,
    Prediction prediction,
    Map<Tier, Memory> memory,
    List<Advice> advice,
    List<Alternative> alternatives,
    List<CurvePoint> curve,
    List<Operation> operations,
    List<String> warnings) {
  public Recommendation {
    memory = Map.copyOf(memory);
    advice = List.copyOf(advice);
    alternatives = List.copyOf(alternatives);
    curve = List.copyOf(curve);
    operations = List.copyOf(operations);
    warnings = List.copyOf(warnings);
  }

  /** The same with other alternatives and warnings. */
  public Recommendation with(List<Alternative> otherPlans, List<String> otherWarnings) {
    return new Recommendation(
        plan,
        hardware,
        workload,
        prediction,
        memory,
        advice,
        otherPlans,
        curve,
        operations,
        otherWarnings);
  }

  /**
   * What to expect.
   *
   * @param tokensPerSecond generated tokens per second: of the whole job, its beginning and end
   *     included, or of the steady state if the job has no end
   * @param prefillTokensPerSecond prompt tokens per second in passes of prompts alone
   * @param decodeTokensPerSecond generated tokens per second in passes without prompts
   * @param passSeconds length of a pass in the steady state
   * @param passTokens tokens of such a pass, of prompts and of outputs
   * @param jobSeconds length of the whole job; infinite if it has no end
   * @param laneSeconds how long each lane works in a pass
   * @param shared how long a pass takes at least for what lanes draw on together, such as {@code
   *     host memory}
   * @param bottleneck what the pass waits for most: a lane's name in lower case, or one of {@code
   *     shared}
   * @param programTokensPerSecond what the linear program says before units are kept whole
   */
  public record Prediction(
      double tokensPerSecond,
      double prefillTokensPerSecond,
      double decodeTokensPerSecond,
      double passSeconds,
      double passTokens,
      double jobSeconds,
      Map<Lane, Double> laneSeconds,
      Map<String, Double> shared,
      String bottleneck,
      double programTokensPerSecond) {
    public Prediction {
      laneSeconds = Map.copyOf(laneSeconds);
      shared = Map.copyOf(shared);
    }
  }

  /**
   * A tier.
   *
   * @param budgetBytes what may be used
   * @param items what uses it, for people: {@code experts}, {@code KV cache}, {@code ring}, …
   */
  public record Memory(long budgetBytes, List<Item> items) {
    public Memory {
      items = List.copyOf(items);
    }

    /** Bytes in use. */
    public long usedBytes() {
      return items.stream().mapToLong(Item::bytes).sum();
    }
  }

  /** What uses memory. */
  public record Item(String name, long bytes) {}

  /**
   * What a change would give.
   *
   * @param change for people: {@code 1 GiB more device memory}
   * @param tokensPerSecond more per second
   */
  public record Advice(String change, double tokensPerSecond) {}

  /**
   * A plan that lost.
   *
   * @param plan for people: what is different
   * @param tokensPerSecond what it would reach; 0 if it cannot run at all
   * @param reason why it lost
   */
  public record Alternative(String plan, double tokensPerSecond, String reason) {}

  /**
   * A number of sequences in flight.
   *
   * @param tokensPerSecond what the best placement for it gives in the steady state
   * @param bottleneck as in {@link Prediction}
   */
  public record CurvePoint(int sequences, double tokensPerSecond, String bottleneck) {}

  /**
   * An operation of a pass, all layers together.
   *
   * @param name for people: {@code attention}, {@code experts}, …
   * @param flops arithmetic
   * @param bytes of device memory touched
   * @param seconds what the device takes
   */
  public record Operation(String name, double flops, double bytes, double seconds) {}
}
