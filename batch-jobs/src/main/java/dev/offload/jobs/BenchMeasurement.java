package dev.offload.jobs;

import dev.offload.backends.api.Device;
import dev.offload.engine.Engine;
import dev.offload.engine.EngineModel;
import dev.offload.engine.EngineOptions;
import dev.offload.engine.Forecast;
import dev.offload.engine.RunReport;
import dev.offload.engine.RunsBefore;
import dev.offload.jobs.ProfileSource.DiskReads;
import dev.offload.planner.LaneQueue;
import dev.offload.planner.PassShape;
import dev.offload.planner.PassTimeline;
import dev.offload.planner.Plan;
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
import java.util.function.Supplier;
import java.util.stream.IntStream;

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
      Optional<DiskRate> disk) {
    private Found withDisk(DiskRate disk) {
      return new Found(device, loadNanos, runs, comparison, Optional.of(disk));
    }
  }

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
        return run(random, devices, plan, rounds, profiles, Optional.empty());
      }
      try (DiskWeights weights =
          DiskWeights.write(model, folder.units(), numbers, machine.temporary())) {
        EngineModel files = machine.mapsWeights() ? weights.model().mapped() : weights.model();
        if (onDisk.isEmpty()) {
          return run(files, devices, plan, rounds, profiles, Optional.empty());
        }
        DiskReads reads = readers -> weights.measure(onDisk, plan.computeDType(), readers);
        double before = reads.by(LaneQueue.READS.atATime()).bytesPerSecond();
        Found found = run(files, devices, plan, rounds, profiles, Optional.of(reads));
        double after = reads.by(LaneQueue.READS.atATime()).bytesPerSecond();
        DiskRate disk = new DiskRate(Math.max(before, after), weights.stillCached());
        return found.withDisk(disk);
      }
    }
  }

  private Found run(
      EngineModel weights,
      OpenedDevices devices,
      Plan plan,
      int rounds,
      Optional<ProfileSource.ForPasses> profiles,
      Optional<DiskReads> disk)
      throws IOException, RefusedException {
    Device device = devices.device();
    try (Closing closing = new Closing()) {
      long begin = System.nanoTime();
      Engine engine =
          closing.add(
              Engine.open(weights, Optional.empty(), device, devices.host(), options, plan));
      long loadNanos = System.nanoTime() - begin;
      closing.add(machine.trace(engine));
      for (long end = warmUpEnd(); System.nanoTime() < end; ) {
        run(engine, weights, load.warmUp());
      }
      List<RunReport> runs;
      Optional<Comparison> comparison = Optional.empty();
      if (profiles.isEmpty()) {
        runs = List.of(run(engine, weights, load));
      } else {
        Forecasts forecasts = (profile, before) -> forecast(weights, device, plan, profile, before);
        ProfileSource source = closing.add(profiles.get().open(weights, plan, passes(forecasts)));
        Comparison compared =
            compare(
                engine,
                () -> run(engine, weights, load),
                rounds,
                () -> source.get(disk),
                forecasts);
        runs = compared.runs();
        comparison = Optional.of(compared);
      }
      machine.saveRouting(engine);
      return new Found(device.facts().name(), loadNanos, runs, comparison, Optional.empty());
    }
  }

  private long warmUpEnd() {
    return System.nanoTime() + warmUpSeconds * 1_000_000_000L;
  }

  private static RunReport run(Engine engine, EngineModel weights, BenchLoad load) {
    int vocabularySize = weights.config().vocabularySize();
    return engine.run(new BenchRequests(load, vocabularySize), _ -> {}, _ -> {});
  }

  /** What the machine can do just now. */
  @FunctionalInterface
  private interface Measuring {
    HardwareProfile measure() throws IOException, RefusedException;
  }

  /** What a run would be where a machine can do so much and runs before have shown so much. */
  @FunctionalInterface
  private interface Forecasts {
    Forecast of(HardwareProfile profile, RunsBefore before);
  }

  /** What a run is forecast from: the machine before or behind it, and the runs before it. */
  private record Known(HardwareProfile machine, RunsBefore before) {}

  /**
   * Measures what the machine can do, which changes, in turn with runs: first for as long as it
   * warms up without counting, since what runs in turn makes Java compile anew. Forecasts are made
   * behind all of it for the same reason.
   */
  private Comparison compare(
      Engine engine, Supplier<RunReport> run, int rounds, Measuring machine, Forecasts forecasts)
      throws IOException, RefusedException {
    long end = warmUpEnd();
    do {
      machine.measure();
      RunReport _ = run.get();
    } while (System.nanoTime() < end);
    List<Known> known = new ArrayList<>();
    known.add(new Known(machine.measure(), engine.runsBefore()));
    List<RunReport> runs = new ArrayList<>();
    List<Optional<PassTimeline>> passes = new ArrayList<>();
    for (int i = 0; i < rounds; i++) {
      RunsBefore before = engine.runsBefore();
      runs.add(run.get());
      passes.add(engine.timeline());
      known.add(new Known(machine.measure(), before));
    }
    List<Forecast> predicted =
        known.stream().map(each -> forecasts.of(each.machine(), each.before())).toList();
    return new Comparison(
        IntStream.range(0, rounds)
            .mapToObj(
                i -> new Comparison.Round(runs.get(i), passes.get(i), predicted.subList(i, i + 2)))
            .toList());
  }

  /** What the passes of the run will have to do, which no rate changes. */
  private List<PassShape> passes(Forecasts forecasts) throws IOException {
    MachineFacts facts = ThisMachine.facts(machine.threads(), machine.temporary());
    return forecasts.of(HardwareEstimate.of(facts), RunsBefore.NONE).passes().stream()
        .map(PlayedPass::shape)
        .toList();
  }

  private Forecast forecast(
      EngineModel weights, Device device, Plan plan, HardwareProfile profile, RunsBefore before) {
    return Forecast.of(
        weights,
        device.operations(),
        plan,
        options.admission(),
        profile,
        before,
        new BenchRequests(load, weights.config().vocabularySize()).lengths());
  }
}
