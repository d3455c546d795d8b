package dev.offload.planner.search;

import dev.offload.planner.ModelSizes;
import dev.offload.planner.Plan;
import dev.offload.planner.Recommendation;
import dev.offload.planner.Workload;
import dev.offload.planner.cost.RoutingStatistics;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.search.Candidate.Whole;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.weights.WeightUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Decides what lives where and how much runs at a time, so that a machine generates as many tokens
 * per second as it can. The only planner: the engine's plans come from here too.
 *
 * <pre>{@code
 * Recommendation best = Planner.of(config, units, machine, workload, wishes).recommend(List.of(sizes));
 * }</pre>
 */
public final class Planner {
  private final ModelConfig config;
  private final List<WeightUnit> units;
  private final HardwareProfile machine;
  private final Workload workload;
  private final Wishes wishes;
  private final Optional<RoutingStatistics> routing;

  private Planner(
      ModelConfig config,
      List<WeightUnit> units,
      HardwareProfile machine,
      Workload workload,
      Wishes wishes,
      Optional<RoutingStatistics> routing) {
    this.config = config;
    this.units = units;
    this.machine = machine;
    this.workload = workload;
    this.wishes = wishes;
    this.routing = routing;
  }

  /**
   * A planner for a model on a machine.
   *
   * @param units all units of the model
   */
  public static Planner of(
      ModelConfig config,
      List<WeightUnit> units,
      HardwareProfile machine,
      Workload workload,
      Wishes wishes) {
    return new Planner(config, units, machine, workload, wishes, Optional.empty());
  }

  /** The same for a model whose experts are chosen so often; those of no other model. */
  public Planner withRouting(RoutingStatistics counted) {
    return new Planner(config, units, machine, workload, wishes, Optional.of(counted));
  }

  /**
   * The best plan.
   *
   * @param sizes of the model in the format to be used
   * @throws IllegalArgumentException if the model does not fit the budgets; says which memory lacks
   *     how many bytes and what would help
   */
  public Plan plan(ModelSizes sizes) {
    return PlanMaker.plan(best(search(sizes)));
  }

  /**
   * The best plan with what to expect of it.
   *
   * @param formats sizes of the model in each format that may be used, at least one
   * @throws IllegalArgumentException if none fits the budgets, as {@link #plan}
   */
  public Recommendation recommend(List<ModelSizes> formats) {
    List<PlanSearch> searches = new ArrayList<>();
    List<Whole> found = new ArrayList<>();
    IllegalArgumentException refusal = null;
    for (ModelSizes sizes : formats) {
      PlanSearch search = search(sizes);
      try {
        found.add(best(search));
        searches.add(search);
      } catch (IllegalArgumentException e) {
        refusal = e;
      }
    }
    if (found.isEmpty()) {
      throw refusal;
    }
    int best = 0;
    for (int i = 1; i < found.size(); i++) {
      best = found.get(i).tokensPerSecond() > found.get(best).tokensPerSecond() ? i : best;
    }
    Whole chosen = found.remove(best);
    return Recommender.of(searches.get(best), chosen, found);
  }

  private PlanSearch search(ModelSizes sizes) {
    return new PlanSearch(
        Format.of(PlannedModel.of(config, units, sizes, routing), machine, workload, wishes));
  }

  private Whole best(PlanSearch search) {
    Whole best = search.best().orElseThrow(() -> Refusal.of(search.format().withoutLongRows()));
    return workload.requests().isPresent() && wishes.microBatchTokens().isEmpty()
        ? RoomToBegin.forJob(best, workload, workload.requests().getAsLong())
        : best;
  }
}
