package dev.offload.jobs;

import dev.offload.backends.api.Device;
import dev.offload.engine.Engine;
import dev.offload.engine.EngineModel;
import dev.offload.engine.EngineOptions;
import dev.offload.engine.Forecast;
import dev.offload.engine.RunReport;
import dev.offload.jobs.ProfileSource.DiskReads;
import dev.offload.planner.LaneQueue;
import dev.offload.planner.PassShape;
import dev.offload.planner.PassTimeline;
import dev.offload.planner.Plan;
import dev.offload.planner.cost.RoutingStatistics;
import dev.offload.planner.hardware.HardwareEstimate;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.hardware.MachineFacts;
import dev.offload.planner.simulate.PlayedPass;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.tensors.weights.RandomSource;
import dev.offload.tensors.weights.WeightUnit;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Runs a load on an engine with made-up weights. */
final class BenchMeasurement {
  private static final long SEED = 1;

  /** Of made-up weights, the usual one at the start of training. */
  private static final float STANDARD_DEVIATION = 0.02f;

  private final MachineOptions machine;
  private final EngineOptions options;
  private final BenchLoad load;
  private final int warmUpSeconds;

  /**
   * What was found.
   *
   * @param device name of the device
   * @param loadNanos time in which memory was allocated and weights were brought to their homes
   * @param runs in order
   * @param comparison with forecasts, if they were wanted
   * @param disk the disk, if weights were read from there
   */
  record Found(
      String device,
      long loadNanos,
      List<RunReport> runs,
      Optional<Comparison> comparison,
      Optional<DiskRate> disk) {}

  BenchMeasurement(
      MachineOptions machine, EngineOptions options, BenchLoad load, int warmUpSeconds) {
    this.machine = machine;
    this.options = options;
    this.load = load;
    this.warmUpSeconds = warmUpSeconds;
  }

  /**
   * Measures.
   *
   * @param model the folder or config.json that says what the model is
   * @param rounds how many runs
   * @param profiles what each is forecast from; empty if nothing is to be forecast
   */
  Found measure(
      Path model, ModelFolder folder, int rounds, Optional<ProfileSource.ForPasses> profiles)
      throws IOException, RefusedException {
    RandomSource numbers = new RandomSource(SEED, STANDARD_DEVIATION, machine.threads());
    EngineModel random = EngineModel.random(folder, numbers);
    try (OpenedDevices devices = OpenedDevices.open(machine)) {
      Device device = devices.device();
      Plan plan = PlanChoice.of(random, device, options, machine);
      List<WeightUnit> onDisk = random.unitsOnDisk(plan);
      if (onDisk.isEmpty() && !machine.mapsWeights()) {
        return found(
            device,
            run(random, devices, plan, rounds, profiles, Optional.empty()),
            Optional.empty());
      }
      try (DiskWeights weights =
          DiskWeights.write(model, folder.units(), numbers, machine.temporary())) {
        EngineModel files = machine.mapsWeights() ? weights.model().mapped() : weights.model();
        if (onDisk.isEmpty()) {
          return found(
              device,
              run(files, devices, plan, rounds, profiles, Optional.empty()),
              Optional.empty());
        }
        DiskReads reads = readers -> weights.measure(onDisk, plan.computeDType(), readers);
        double before = reads.by(LaneQueue.READS.atATime()).bytesPerSecond();
        List<Ran> runs = run(files, devices, plan, rounds, profiles, Optional.of(reads));
        double after = reads.by(LaneQueue.READS.atATime()).bytesPerSecond();
        DiskRate disk = new DiskRate(Math.max(before, after), weights.stillCached());
        return found(device, runs, Optional.of(disk));
      }
    }
  }

  /** A run, the round it makes with its forecast, and how long its engine took to open. */
  private record Ran(RunReport run, Optional<Comparison.Round> round, long loadNanos) {}

  private static Found found(Device device, List<Ran> runs, Optional<DiskRate> disk) {
    List<Comparison.Round> rounds = runs.stream().flatMap(ran -> ran.round().stream()).toList();
    return new Found(
        device.facts().name(),
        runs.getFirst().loadNanos(),
        runs.stream().map(Ran::run).toList(),
        rounds.isEmpty() ? Optional.empty() : Optional.of(new Comparison(rounds)),
        disk);
  }

  private List<Ran> run(
      EngineModel weights,
      OpenedDevices devices,
      Plan plan,
      int rounds,
      Optional<ProfileSource.ForPasses> profiles,
      Optional<DiskReads> disk)
      throws IOException, RefusedException {
    List<Ran> runs = new ArrayList<>();
    Device device = devices.device();
    try (Closing closing = new Closing()) {
      long begin = System.nanoTime();
      Engine engine =
          closing.add(
              Engine.open(weights, Optional.empty(), device, devices.host(), options, plan));
      long loadNanos = System.nanoTime() - begin;
      closing.add(machine.trace(engine));
      int vocabularySize = weights.config().vocabularySize();
      long end = System.nanoTime() + warmUpSeconds * 1_000_000_000L;
      while (System.nanoTime() < end) {
        engine.run(new BenchRequests(load.warmUp(), vocabularySize), _ -> {}, _ -> {});
      }
      Optional<ProfileSource> source = Optional.empty();
      if (profiles.isPresent()) {
        source =
            Optional.of(
                closing.add(profiles.get().open(weights, plan, passes(weights, device, plan))));
        // Once more in turn, as what runs in turn with a run makes Java compile anew.
        source.get().get(disk);
        engine.run(new BenchRequests(load, vocabularySize), _ -> {}, _ -> {});
      }
      Optional<RoutingStatistics> routing = engine.routing();
      Optional<Forecast> before = forecast(weights, device, plan, source, disk, routing);
      for (int i = 0; i < rounds; i++) {
        RunReport run = engine.run(new BenchRequests(load, vocabularySize), _ -> {}, _ -> {});
        Optional<PassTimeline> pass = engine.timeline();
        Optional<Forecast> after = forecast(weights, device, plan, source, disk, routing);
        List<Forecast> both = Stream.of(before, after).flatMap(Optional::stream).toList();
        runs.add(new Ran(run, before.map(_ -> new Comparison.Round(run, pass, both)), loadNanos));
        before = after;
      }
      machine.saveRouting(engine);
    }
    return runs;
  }

  /** What the passes of the run will have to do, which no rate changes. */
  private List<PassShape> passes(EngineModel weights, Device device, Plan plan) throws IOException {
    MachineFacts facts = ThisMachine.facts(machine.threads(), machine.temporary());
    return forecast(weights, device, plan, HardwareEstimate.of(facts), Optional.empty())
        .passes()
        .stream()
        .map(PlayedPass::shape)
        .toList();
  }

  /**
   * What the run would be by what the machine can do just now, which changes.
   *
   * @param routing experts that were chosen in other runs
   */
  private Optional<Forecast> forecast(
      EngineModel weights,
      Device device,
      Plan plan,
      Optional<ProfileSource> source,
      Optional<DiskReads> disk,
      Optional<RoutingStatistics> routing)
      throws IOException, RefusedException {
    if (source.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(forecast(weights, device, plan, source.get().get(disk), routing));
  }

  private Forecast forecast(
      EngineModel weights,
      Device device,
      Plan plan,
      HardwareProfile profile,
      Optional<RoutingStatistics> routing) {
    return Forecast.of(
        weights,
        device.operations(),
        plan,
        options.admission(),
        profile,
        routing,
        new BenchRequests(load, weights.config().vocabularySize()).lengths());
  }
}
