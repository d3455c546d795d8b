package dev.offload.engine;

import dev.offload.backends.api.DataLayout;
import dev.offload.engine.weights.WeightStore;
import dev.offload.planner.Granule;
import dev.offload.planner.Granules;
import dev.offload.planner.PassTimeline;
import dev.offload.planner.Plan;
import dev.offload.planner.ScheduleBuilder;
import dev.offload.planner.cost.MachineCosts;
import dev.offload.planner.cost.ModuleCosts;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.simulate.Capacities;
import dev.offload.planner.simulate.PlayedPass;
import dev.offload.planner.simulate.Simulator;
import java.util.Iterator;
import java.util.List;

/**
 * What a run on some machine would be like: the engine's own loop makes the passes, and a simulator
 * plays the very schedules that the engine would.
 *
 * @param report as the run's own; peak memory is not known and 0
 * @param passes what lanes did in each pass
 */
public record Forecast(RunReport report, List<PlayedPass> passes) {
  public Forecast {
    passes = List.copyOf(passes);
  }

  /**
   * A row of the job.
   *
   * @param promptTokens tokens of its prompt
   * @param generatedTokens so many it will get
   * @param mostTokens so many it may get, as far as is known before
   */
  public record Row(int promptTokens, int generatedTokens, int mostTokens) {
    public Row {
      if (promptTokens < 1 || generatedTokens < 1 || mostTokens < generatedTokens) {
        throw new IllegalArgumentException(
            "a row of %d + %d tokens, %d at most, cannot be: all must be at least 1, and the most no less than the others"
                .formatted(promptTokens, generatedTokens, mostTokens));
      }
    }
  }

  /**
   * The forecast of a run of an engine with a plan.
   *
   * @param layout of the device that the plan was made for
   * @param before what runs of the engine have shown
   * @throws IllegalArgumentException if a row can never run
   */
  public static Forecast of(
      EngineModel model,
      DataLayout layout,
      Plan plan,
      AdmissionPolicy admission,
      HardwareProfile machine,
      RunsBefore before,
      Iterator<Row> rows) {
    EnginePlanner sizes = new EnginePlanner(model, layout, plan.computeDType());
    List<Granule> granules =
        Granules.of(plan, WeightStore.sizes(model.units(), plan.computeDType(), layout));
    ScheduleBuilder schedules =
        new ScheduleBuilder(
            plan, granules, model.config(), layout.matrixInput(plan.computeDType()));
    int blockTokens = sizes.kvBlockTokens();
    long blockBytes = layout.kvBlockBytes(sizes.kvFormat());
    MachineCosts costs =
        new MachineCosts(
            new ModuleCosts(machine, plan.computeDType()),
            model.config(),
            model.units(),
            (double) blockBytes / blockTokens,
            before.routing());
    SimulatedPasses passes =
        new SimulatedPasses(
            plan,
            schedules,
            new Simulator(Capacities.of(machine), costs),
            costs,
            before.betweenSeconds(),
            blockTokens,
            blockBytes);
    RunReport report = new PassLoop(passes, admission, new SimulatedJob(rows), _ -> {}).run();
    return new Forecast(report, passes.played());
  }

  /**
   * A pass task by task.
   *
   * @param pass its number, from 1
   */
  public PassTimeline timeline(int pass) {
    return passes.get(pass - 1).timeline(pass);
  }
}
