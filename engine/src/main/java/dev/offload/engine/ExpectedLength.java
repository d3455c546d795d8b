package dev.offload.engine;

import dev.offload.engine.pass.Sequence;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Lets sequences in as long as the blocks that all of them together are expected to have at a time,
 * and a margin, are there. How long outputs get is learned from the run itself.
 *
 * <p>What counts is not the sum of the final lengths but the peak: those that end early leave
 * before the others are long. Let sequence i have b_i(t) blocks after t more stretches if it still
 * runs, which it does with likelihood p_i(t). Then the blocks in use have the mean Σ p·b and, each
 * ending on its own, the variance Σ p·(1−p)·b²; mean and {@value #DEVIATIONS} standard deviations
 * have to fit at every t. Looking ahead to the peak is the idea of Gong et al., "Past-Future
 * Scheduler for LLM Serving under SLA Guarantees" (ASPLOS 2025).
 */
final class ExpectedLength implements Admission {
  private static final double DEVIATIONS = 1;

  private final int blockTokens;
  private final OutputLengths lengths;

  /** What those in each KV group are expected to need; made when the first one asks. */
  private final Map<Integer, Demand> demands = new HashMap<>();

  ExpectedLength(int blockTokens) {
    this.blockTokens = blockTokens;
    this.lengths = new OutputLengths(blockTokens);
  }

  @Override
  public void begin() {
    demands.clear();
  }

  @Override
  public boolean tryEnter(
      Sequence sequence, int group, List<Sequence> members, int blocks, int freeBlocks) {
    int claimed = tokensClaimed(sequence) - sequence.prefix().size();
    if (Math.ceilDiv(claimed, blockTokens) > freeBlocks) {
      return false;
    }
    Demand before = demands.computeIfAbsent(group, _ -> demand(members));
    Demand with = before.copy();
    add(with, sequence);
    if (before.isNothing() || with.peak() <= blocks) {
      demands.put(group, with);
      return true;
    }
    return false;
  }

  private Demand demand(List<Sequence> members) {
    Demand demand = new Demand();
    members.forEach(member -> add(demand, member));
    return demand;
  }

  private void add(Demand demand, Sequence sequence) {
    int most = sequence.mostTokens() - sequence.promptLength();
    int stretch = lengths.stretchBehind(sequence.length() - sequence.promptLength());
    double runs = 1;
    for (int t = 0; (stretch + t) * blockTokens < most; t++) {
      int tokens = Math.min(sequence.mostTokens(), sequence.length() + (t + 1) * blockTokens);
      int own = tokens - sequence.prefix().size();
      demand.add(t, runs, Math.ceilDiv(own, blockTokens));
      runs *= 1 - lengths.endsIn(stretch + t, most);
    }
  }

  @Override
  public int tokensClaimed(Sequence sequence) {
    return sequence.length();
  }

  @Override
  public void grew(Sequence sequence, boolean finished) {
    lengths.grew(
        sequence.length() - sequence.promptLength(),
        finished && sequence.length() < sequence.mostTokens());
  }

  /** Blocks in use after 0, 1, 2… more stretches. */
  private static final class Demand {
    private double[] means = new double[0];
    private double[] variances = new double[0];

    boolean isNothing() {
      return means.length == 0;
    }

    Demand copy() {
      Demand copy = new Demand();
      copy.means = means.clone();
      copy.variances = variances.clone();
      return copy;
    }

    void add(int t, double likelihood, int blocks) {
      if (t >= means.length) {
        int size = Math.max(t + 1, 2 * means.length);
        means = Arrays.copyOf(means, size);
        variances = Arrays.copyOf(variances, size);
      }
      means[t] += likelihood * blocks;
      variances[t] += likelihood * (1 - likelihood) * blocks * blocks;
    }

    double peak() {
      double peak = 0;
      for (int t = 0; t < means.length; t++) {
        peak = Math.max(peak, means[t] + DEVIATIONS * Math.sqrt(variances[t]));
      }
      return peak;
    }
  }
}
