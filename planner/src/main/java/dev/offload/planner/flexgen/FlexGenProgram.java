package dev.offload.planner.flexgen;

import static dev.offload.planner.flexgen.Linear.Share.CACHE_CPU;
import static dev.offload.planner.flexgen.Linear.Share.CACHE_DISK;
import static dev.offload.planner.flexgen.Linear.Share.CACHE_GPU;
import static dev.offload.planner.flexgen.Linear.Share.HIDDEN_CPU;
import static dev.offload.planner.flexgen.Linear.Share.HIDDEN_DISK;
import static dev.offload.planner.flexgen.Linear.Share.HIDDEN_GPU;
import static dev.offload.planner.flexgen.Linear.Share.WEIGHTS_CPU;
import static dev.offload.planner.flexgen.Linear.Share.WEIGHTS_DISK;
import static dev.offload.planner.flexgen.Linear.Share.WEIGHTS_GPU;

import dev.offload.planner.flexgen.Linear.Share;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.ojalgo.optimisation.Expression;
import org.ojalgo.optimisation.ExpressionsBasedModel;
import org.ojalgo.optimisation.Optimisation;
import org.ojalgo.optimisation.Variable;
import org.ojalgo.optimisation.linear.LinearSolver;
import org.ojalgo.type.context.NumberContext;

/**
 * FlexGen's linear program: the policy that takes least time per sequence. Equations of the
 * published cost model; a layer at a time, all layers alike.
 */
public final class FlexGenProgram {
  /** What random reads of weights from disk reach of the disk's rate. */
  private static final double DISK_WEIGHTS = 0.95;

  /** How often the unit of time is adapted; two are enough where lanes are of like speed. */
  private static final int MOST_ROUNDS = 8;

  /** How often rows and columns are brought to like sizes. */
  private static final int EQUILIBRATION_ROUNDS = 8;

  /** Digits that the solver takes seriously; by default it rounds to 8 after the point. */
  private static final NumberContext EXACT = NumberContext.of(16, 14);

  private final FlexGenInstance instance;
  private final FlexGenInstance.Config c;

  /** Sequences in a block, and in a GPU batch. */
  private final double bls;

  private final double gbs;

  /** Bytes of a layer's weights, and of the hidden state and cache of one token in one layer. */
  private final double weights;

  private final double hidden;
  private final double cache;

  private FlexGenProgram(FlexGenInstance instance) {
    this.instance = instance;
    c = instance.config();
    bls = instance.block();
    gbs = instance.gpuBatchSize();
    double whole = 8.0 * c.h1() * c.h1() + 4.0 * c.h1() * c.h2();
    weights = instance.compressWeight() ? whole / 4 : whole;
    hidden = 2.0 * c.h1();
    cache = 4.0 * c.h1();
  }

  /** The best policy; empty if none fits the memories. */
  public static Optional<FlexGenSolution> solve(FlexGenInstance instance) {
    return new FlexGenProgram(instance).solve();
  }

  /** What a given policy takes, by the same equations, whether it fits the memories or not. */
  public static FlexGenSolution evaluate(FlexGenInstance instance, Shares shares) {
    FlexGenProgram program = new FlexGenProgram(instance);
    Map<Share, Double> values = new EnumMap<>(Share.class);
    values.put(WEIGHTS_GPU, shares.weights().gpu());
    values.put(WEIGHTS_CPU, shares.weights().cpu());
    values.put(WEIGHTS_DISK, shares.weights().disk());
    values.put(CACHE_GPU, shares.cache().gpu());
    values.put(CACHE_CPU, shares.cache().cpu());
    values.put(CACHE_DISK, shares.cache().disk());
    values.put(HIDDEN_GPU, shares.hidden().gpu());
    values.put(HIDDEN_CPU, shares.hidden().cpu());
    values.put(HIDDEN_DISK, shares.hidden().disk());
    Times times =
        new Times(
            slowest(program.prefillLanes(), values), slowest(program.generationLanes(), values));
    return program.solution(new Found(times, shares));
  }

  private static double slowest(List<Linear> lanes, Map<Share, Double> shares) {
    return lanes.stream().mapToDouble(lane -> lane.at(shares)).max().orElseThrow();
  }

  /**
   * Solves with times in units of what the last solution found, until that is one unit: the solver
   * takes numbers far below 1 for nothing, and lanes that the best policy leaves idle may be slower
   * by any factor.
   */
  private Optional<FlexGenSolution> solve() {
    Times unit = new Times(largest(prefillLanes()), largest(generationLanes()));
    Optional<Found> found = solve(unit);
    for (int i = 0; i < MOST_ROUNDS && found.isPresent(); i++) {
      Times last = unit;
      unit = found.get().times();
      if (unit.isNear(last)) {
        break;
      }
      found = solve(unit);
    }
    return found.map(this::solution);
  }

  private FlexGenSolution solution(Found found) {
    double prefillSeconds = c.l() * found.times().prefill();
    double seconds = prefillSeconds + c.l() * (c.n() - 1) * found.times().generation();
    return new FlexGenSolution(seconds, prefillSeconds, bls * c.n() / seconds, found.shares());
  }

  /** The dual simplex method takes one program in a thousand for infeasible that is not. */
  private Optional<Found> solve(Times unit) {
    return solve(unit, linear -> linear.equilibration(EQUILIBRATION_ROUNDS))
        .or(() -> solve(unit, LinearSolver.Configuration::primal));
  }

  private Optional<Found> solve(Times unit, Consumer<LinearSolver.Configuration> method) {
    ExpressionsBasedModel model = new ExpressionsBasedModel();
    method.accept(model.options.linear());
    Map<Share, Variable> shares = new EnumMap<>(Share.class);
    for (Share share : Share.values()) {
      shares.put(share, model.newVariable(share.name()).lower(0).upper(1));
    }
    sumsToOne(model, shares, WEIGHTS_GPU, WEIGHTS_CPU, WEIGHTS_DISK);
    sumsToOne(model, shares, CACHE_GPU, CACHE_CPU, CACHE_DISK);
    sumsToOne(model, shares, HIDDEN_GPU, HIDDEN_CPU);
    shares.get(HIDDEN_DISK).upper(0);
    double generationWeight = (c.n() - 1) * unit.generation();
    double whole = unit.prefill() + generationWeight;
    Variable prefill = model.newVariable("prefill").lower(0).weight(unit.prefill() / whole);
    Variable generation = model.newVariable("generation").lower(0);
    generation.weight(generationWeight / whole);
    for (Linear lane : prefillLanes()) {
      atMost(model, shares, lane, prefill, unit.prefill());
    }
    for (Linear lane : generationLanes()) {
      atMost(model, shares, lane, generation, unit.generation());
    }
    fits(model, shares, gpuInPrefill(), instance.alpha().gpu() * c.gmem());
    fits(model, shares, gpuInGeneration(), instance.alpha().gpu() * c.gmem());
    fits(model, shares, cpuInPrefill(), instance.alpha().cpu() * c.cmem());
    fits(model, shares, cpuInGeneration(), instance.alpha().cpu() * c.cmem());
    fits(model, shares, onDisk(), instance.alpha().disk() * c.nmem());

    model.options.feasibility = EXACT;
    model.options.solution = EXACT;
    Optimisation.Result result = model.minimise();
    if (result.getState() == Optimisation.State.INFEASIBLE) {
      return Optional.empty();
    }
    if (!result.getState().isOptimal()) {
      throw new IllegalStateException("the solver ended as " + result.getState());
    }
    return Optional.of(
        new Found(
            new Times(
                unit.prefill() * prefill.getValue().doubleValue(),
                unit.generation() * generation.getValue().doubleValue()),
            new Shares(
                tiers(shares, WEIGHTS_GPU, WEIGHTS_CPU, WEIGHTS_DISK),
                tiers(shares, CACHE_GPU, CACHE_CPU, CACHE_DISK),
                tiers(shares, HIDDEN_GPU, HIDDEN_CPU, HIDDEN_DISK))));
  }

  /** Seconds of a layer: prefill, and one generated token. */
  private record Times(double prefill, double generation) {
    private boolean isNear(Times other) {
      return isNear(prefill, other.prefill) && isNear(generation, other.generation);
    }

    private static boolean isNear(double one, double other) {
      return Math.abs(one - other) <= 1e-9 * other;
    }
  }

  /** A solution of the program. */
  private record Found(Times times, Shares shares) {}

  private static void sumsToOne(
      ExpressionsBasedModel model, Map<Share, Variable> shares, Share... parts) {
    Expression sum = model.newExpression("all of " + parts[0]).level(1);
    for (Share part : parts) {
      sum.set(shares.get(part), 1);
    }
  }

  /** The unit of time in which no lane has a number above 1. */
  private static double largest(List<Linear> lanes) {
    return lanes.stream().mapToDouble(Linear::largest).max().orElseThrow();
  }

  /**
   * A lane's seconds are no more than those of the whole, which is counted in {@code unit}; divided
   * by the largest number of the row.
   */
  private static void atMost(
      ExpressionsBasedModel model,
      Map<Share, Variable> shares,
      Linear lane,
      Variable whole,
      double unit) {
    double scale = Math.max(unit, lane.largest());
    Linear part = lane.over(scale);
    Expression slack = model.newExpression(whole.getName() + " lane " + model.countExpressions());
    slack.set(whole, unit / scale).lower(part.constant());
    shares.forEach((share, variable) -> slack.set(variable, -part.coefficient(share)));
  }

  /** Bytes in units of the largest number in the row, so that all rows are of like size. */
  private static void fits(
      ExpressionsBasedModel model, Map<Share, Variable> shares, Linear bytes, double capacity) {
    double unit = bytes.largest();
    Linear part = bytes.over(unit);
    Expression use = model.newExpression("memory " + model.countExpressions());
    use.upper(capacity / unit - part.constant());
    shares.forEach((share, variable) -> use.set(variable, part.coefficient(share)));
  }

  private static Shares.Tiers tiers(Map<Share, Variable> shares, Share gpu, Share cpu, Share disk) {
    return new Shares.Tiers(
        shares.get(gpu).getValue().doubleValue(),
        shares.get(cpu).getValue().doubleValue(),
        shares.get(disk).getValue().doubleValue());
  }

  /** Seconds of a layer in prefill, by what works at the same time. */
  private List<Linear> prefillLanes() {
    double states = hidden * c.s() * bls;
    double entries = cache * (c.s() + 1) * bls;
    Linear toGpu =
        Linear.of(weights, WEIGHTS_CPU, WEIGHTS_DISK)
            .plus(Linear.of(states, HIDDEN_CPU, HIDDEN_DISK))
            .over(c.ctogBdw());
    Linear toCpu =
        Linear.of(entries / c.gtocBdwCache(), CACHE_CPU, CACHE_DISK)
            .plus(Linear.of(states / c.gtocBdwHidden(), HIDDEN_CPU, HIDDEN_DISK));
    Linear fromDisk =
        Linear.of(weights, WEIGHTS_DISK).plus(Linear.of(states, HIDDEN_DISK)).over(c.dtocBdw());
    Linear toDisk =
        Linear.of(entries / c.ctodBdwCacheP(), CACHE_DISK)
            .plus(Linear.of(states / c.ctodBdwHiddenP(), HIDDEN_DISK));
    Linear compute =
        Linear.of(
            bls * c.s() * perToken() / c.mmFlopsP()
                + 4 * bls * c.s() * c.s() * c.h1() / c.bmmFlopsP());
    return List.of(toGpu.plus(fromDisk), toCpu.plus(toDisk), compute);
  }

  /** Seconds of a layer for one generated token. */
  private List<Linear> generationLanes() {
    double states = hidden * bls;
    double entries = cache * (c.s() + c.n() / 2.0) * bls;
    Linear toGpu =
        Linear.of(weights, WEIGHTS_CPU, WEIGHTS_DISK)
            .plus(Linear.of(states, HIDDEN_CPU, HIDDEN_DISK))
            .over(c.ctogBdw());
    Linear toCpu = Linear.of(states, HIDDEN_CPU, HIDDEN_DISK).over(c.gtocBdwHidden());
    Linear fromDisk =
        Linear.of(entries, CACHE_DISK)
            .plus(Linear.of(states, HIDDEN_DISK))
            .plus(Linear.of(weights / DISK_WEIGHTS, WEIGHTS_DISK))
            .over(c.dtocBdw());
    Linear toDisk =
        Linear.of(cache * bls, CACHE_DISK).plus(Linear.of(states, HIDDEN_DISK)).over(c.ctodBdwG());
    Linear compute =
        Linear.of(bls * perToken() / c.mmFlopsG())
            .plus(Linear.of(entries / c.bmmFlopsG(), CACHE_GPU))
            .plus(Linear.of(entries / cpuFlops(), CACHE_CPU, CACHE_DISK));
    return List.of(
        toGpu.plus(toCpu), toGpu.plus(fromDisk), toGpu.plus(toDisk), toGpu.plus(compute));
  }

  /** Operations of a layer's matrices for one token. */
  private double perToken() {
    return 8.0 * c.h1() * c.h1() + 4.0 * c.h1() * c.h2();
  }

  /** The CPU is slower on small batches and narrow models. */
  private double cpuFlops() {
    double batch = Math.max(0, Math.log(64 / gbs) / Math.log(2));
    double width = Math.max(0, Math.log(4096 / c.h1()) / Math.log(2));
    double share = 1 + c.c1() * batch * width - c.c2() * batch - c.c3() * width;
    return c.cpuFlops() * Math.max(0.1, share);
  }

  private Linear homes(double states, double tokens, Share weightShare, Share h, Share kv) {
    return Linear.of(weights * c.l(), weightShare)
        .plus(Linear.of(states * bls, h))
        .plus(Linear.of(cache * tokens * bls * c.l(), kv));
  }

  private Linear gpuInPrefill() {
    double states = hidden * c.s();
    double intermediate =
        gbs * (18.0 * c.s() * c.h1() + 2.0 * c.nh() * c.s() * c.s() + 2.0 * c.s() * c.h2());
    return homes(states, c.s() + c.n(), WEIGHTS_GPU, HIDDEN_GPU, CACHE_GPU)
        .plus(Linear.of(2 * weights, WEIGHTS_CPU, WEIGHTS_DISK))
        .plus(Linear.of(states * gbs, HIDDEN_CPU, HIDDEN_DISK))
        .plus(Linear.of(intermediate));
  }

  private Linear gpuInGeneration() {
    double tokens = c.s() + c.n();
    double always = gbs * (14.0 * c.h1() + 2.0 * c.h2());
    double withCache =
        gbs * (cache + cache * tokens + 2.0 * c.nh() * tokens) + cache * gbs * tokens;
    return homes(hidden, tokens, WEIGHTS_GPU, HIDDEN_GPU, CACHE_GPU)
        .plus(Linear.of(2 * weights, WEIGHTS_CPU, WEIGHTS_DISK))
        .plus(Linear.of(hidden * gbs, HIDDEN_CPU, HIDDEN_DISK))
        .plus(Linear.of(withCache, CACHE_GPU))
        .plus(Linear.of(always));
  }

  private Linear cpuInPrefill() {
    double states = hidden * c.s();
    return homes(states, c.s(), WEIGHTS_CPU, HIDDEN_CPU, CACHE_CPU)
        .plus(Linear.of(weights, WEIGHTS_CPU, WEIGHTS_DISK))
        .plus(Linear.of(states * gbs, HIDDEN_CPU, HIDDEN_DISK));
  }

  private Linear cpuInGeneration() {
    double tokens = c.s() + c.n();
    return homes(hidden, tokens, WEIGHTS_CPU, HIDDEN_CPU, CACHE_CPU)
        .plus(Linear.of(weights, WEIGHTS_DISK))
        .plus(Linear.of(2 * hidden * gbs, HIDDEN_DISK))
        .plus(Linear.of(2 * cache * tokens * gbs, CACHE_DISK))
        .plus(Linear.of(2.0 * c.nh() * tokens * gbs + hidden * gbs));
  }

  private Linear onDisk() {
    return homes(hidden * c.s(), c.s() + c.n(), WEIGHTS_DISK, HIDDEN_DISK, CACHE_DISK);
  }
}
