package dev.offload.engine;

import dev.offload.backends.api.DataLayout;
import dev.offload.backends.api.Device;
import dev.offload.engine.execute.Executor;
import dev.offload.engine.execute.OverlappedExecutor;
import dev.offload.engine.execute.SequentialExecutor;
import dev.offload.engine.kvcache.FileSwapArea;
import dev.offload.engine.kvcache.HostSwapArea;
import dev.offload.engine.kvcache.KvStore;
import dev.offload.engine.kvcache.SwapArea;
import dev.offload.engine.pass.MicroBatchInput;
import dev.offload.engine.prefix.PrefixWindow;
import dev.offload.engine.weights.WeightStore;
import dev.offload.generation.ChoiceSink;
import dev.offload.generation.ChoiceSource;
import dev.offload.generation.RequestSource;
import dev.offload.generation.ResultSink;
import dev.offload.generation.TokenIds;
import dev.offload.planner.Granule;
import dev.offload.planner.Granules;
import dev.offload.planner.KvGroup;
import dev.offload.planner.ModelSizes;
import dev.offload.planner.PassTimeline;
import dev.offload.planner.Plan;
import dev.offload.planner.PlanBytes;
import dev.offload.planner.PlanFit;
import dev.offload.planner.ScheduleBuilder;
import dev.offload.planner.cost.RoutingStatistics;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.sampling.OutputRules;
import dev.offload.tensors.ByteSize;
import dev.offload.tensors.DType;
import dev.offload.tensors.Tier;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.weights.UnitId;
import dev.offload.tensors.weights.WeightUnit;
import dev.offload.text.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A model on a device, ready to generate. All memory is planned and allocated when it is opened.
 * Not thread-safe: one thread opens, runs and closes it.
 *
 * <pre>{@code
 * try (Engine engine = Engine.open(model, tokenizer, device, options)) {
 *   RunReport report = engine.run(source, sink, progress -> {});
 * }
 * }</pre>
 */
public final class Engine implements AutoCloseable {
  private final Plan plan;
  private final TierBytes tierBytes;
  private final OutputRules rules;
  private final List<AutoCloseable> owned;
  private final PassRunner passes;
  private final AdmissionPolicy admission;
  private final PrefixWindow.Limits prefixes;

  private Engine(
      Plan plan,
      TierBytes tierBytes,
      OutputRules rules,
      List<AutoCloseable> owned,
      PassRunner passes,
      AdmissionPolicy admission,
      PrefixWindow.Limits prefixes) {
    this.plan = plan;
    this.tierBytes = tierBytes;
    this.rules = rules;
    this.owned = owned;
    this.passes = passes;
    this.admission = admission;
    this.prefixes = prefixes;
  }

  /**
   * What {@link #open(EngineModel, Optional, Device, EngineOptions)} would do: the plan for a
   * processor whose rates are estimated.
   *
   * @throws IllegalArgumentException if the model does not fit the budgets
   */
  public static Plan plan(EngineModel model, Device device, EngineOptions options) {
    return EnginePlanner.plan(model, device, options);
  }

  /**
   * The plan for a machine that was measured, for {@link #open(EngineModel, Optional, Device,
   * EngineOptions, Plan)}.
   *
   * @param machine what the device and its host can do
   * @throws IllegalArgumentException if the model does not fit the budgets
   */
  public static Plan plan(
      EngineModel model, Device device, EngineOptions options, HardwareProfile machine) {
    return EnginePlanner.plan(model, device, options, machine);
  }

  /**
   * The sizes of everything that an engine would allocate.
   *
   * @param layout of the device it would run on
   * @throws IllegalArgumentException if the device cannot compute in that format
   */
  public static ModelSizes sizes(EngineModel model, DataLayout layout, DType computeDType) {
    return new EnginePlanner(model, layout, computeDType);
  }

  /**
   * Opens an engine: plans, allocates, loads the weights.
   *
   * @param model what to run; must stay open as long as the engine
   * @param tokenizer turns tokens into text; without one all texts are empty
   * @param device where to run; the caller closes it afterwards
   * @throws IllegalArgumentException if the model does not fit the budgets, or an option not the
   *     model
   */
  public static Engine open(
      EngineModel model, Optional<Tokenizer> tokenizer, Device device, EngineOptions options) {
    return open(model, tokenizer, device, options, EnginePlanner.plan(model, device, options));
  }

  /**
   * Opens an engine with a given plan.
   *
   * @throws IllegalArgumentException before anything is allocated if the plan's units are not the
   *     model's, or if it takes more than the options' budgets
   */
  public static Engine open(
      EngineModel model,
      Optional<Tokenizer> tokenizer,
      Device device,
      EngineOptions options,
      Plan plan) {
    return open(model, tokenizer, device, device, options, plan);
  }

  /**
   * As above, where caches and experts that the plan leaves to the host are computed by another
   * device than the one the model runs on.
   *
   * @param host shares the host's memory and needs no budget: it computes in pinned memory of the
   *     other; the caller closes it afterwards
   */
  public static Engine open(
      EngineModel model,
      Optional<Tokenizer> tokenizer,
      Device device,
      Device host,
      EngineOptions options,
      Plan plan) {
    return open(model, tokenizer, device, host, options, plan, new PassTimes());
  }

  /** As above, with times of passes to begin with. */
  static Engine open(
      EngineModel model,
      Optional<Tokenizer> tokenizer,
      Device device,
      Device host,
      EngineOptions options,
      Plan plan,
      PassTimes times) {
    requireFiles(model, plan);
    List<AutoCloseable> owned = new ArrayList<>();
    try {
      PassRunner passes = newPassRunner(model, device, host, options, plan, times, owned);
      ModelConfig config = model.config();
      OutputRules rules =
          new OutputRules(
              tokenizer,
              TokenIds.of(config.endTokens()),
              config.vocabularySize(),
              config.contextLength(),
              options.seed());
      PrefixWindow.Limits prefixes =
          new EnginePlanner(model, device.operations(), plan.computeDType())
              .prefixLimits(options.prefixSharing());
      return new Engine(
          plan,
          tierBytes(model, device, plan),
          rules,
          owned,
          passes,
          options.admission(),
          prefixes);
    } catch (RuntimeException | Error e) {
      closeAfter(e, owned);
      throw e;
    }
  }

  private static void requireFiles(EngineModel model, Plan plan) {
    long onDisk = model.unitsOnDisk(plan).stream().mapToLong(WeightUnit::bytes).sum();
    if (onDisk > 0 && model.checkpoint().isEmpty()) {
      throw new IllegalArgumentException(
          "%s of weights would have to be read from disk, but made-up weights have no files; give %s more host memory or a model with weights"
              .formatted(ByteSize.format(onDisk), ByteSize.format(onDisk)));
    }
  }

  private static PassRunner newPassRunner(
      EngineModel model,
      Device device,
      Device host,
      EngineOptions options,
      Plan plan,
      PassTimes times,
      List<AutoCloseable> owned) {
    ModelConfig config = model.config();
    List<Granule> granules =
        Granules.of(
            plan,
            WeightStore.sizes(
                model.units(), plan.computeDType(), device.operations(), host.operations()));
    EnginePlanner sizes =
        new EnginePlanner(model, device.operations(), host.operations(), plan.computeDType());
    PlanFit.require(plan, sizes, options.deviceMemory(), options.hostMemory());
    long spare = options.hostMemory() - PlanBytes.of(plan, sizes).host();
    WeightStore weights =
        WeightStore.load(device, plan, model.units(), granules, model.filler(), spare);
    owned.add(weights);
    KvStore cache =
        new KvStore(
            device,
            host,
            sizes.kvFormat(),
            plan.kvGroups(),
            plan.kvRingSlots(),
            config.layers().size());
    owned.add(cache);
    List<SwapArea> swap = openSwapAreas(model, device, options, plan, cache, owned);
    Workspace workspace =
        Workspace.allocate(
            config, plan, device.operations().matrixInput(plan.computeDType()), device);
    owned.add(workspace);
    LookupTables tables =
        LookupTables.load(
            model, device, plan.placement().get(UnitId.embedding()) != Tier.DISK, owned);
    MicroBatchInput.Model inputModel = sizes.inputModel(tables);
    HostSinks sinks = sizes.hostSinks(device, host, plan, owned);
    List<MicroBatchInput> inputs = new ArrayList<>();
    List<Optional<HostAttention>> hostAttention = new ArrayList<>();
    for (KvGroup group : plan.kvGroups()) {
      boolean onHost = group.home() == KvGroup.Home.HOST_ATTENDED;
      MicroBatchInput input =
          new MicroBatchInput(
              inputModel,
              device,
              onHost ? Optional.of(host) : Optional.empty(),
              plan.microBatchTokens(),
              group.sequences(),
              sizes.blocksPerSequence(group));
      owned.add(input);
      inputs.add(input);
      Optional<HostAttention> attention =
          onHost
              ? Optional.of(sizes.newHostAttention(device, host, sinks, plan))
              : Optional.empty();
      attention.ifPresent(owned::add);
      hostAttention.add(attention);
    }
    Optional<HostExperts> hostExperts = sizes.newHostExperts(device, host, plan, granules, owned);
    TaskRunner runner =
        new TaskRunner(
            new TaskRunner.Parts(
                config,
                plan,
                device,
                weights,
                cache,
                workspace,
                inputs,
                hostAttention,
                hostExperts));
    owned.add(runner);
    PassRecorder recorder = new PassRecorder();
    Executor executor =
        options.overlap()
            ? new OverlappedExecutor(device, runner, recorder)
            : new SequentialExecutor(device, runner, recorder);
    owned.add(executor);
    ScheduleBuilder schedules =
        new ScheduleBuilder(
            plan, granules, config, device.operations().matrixInput(plan.computeDType()));
    return new PassRunner(
        plan,
        device,
        runner,
        executor,
        schedules,
        recorder,
        cache,
        swap,
        times,
        sizes.kvFormat().blockTokens());
  }

  private static List<SwapArea> openSwapAreas(
      EngineModel model,
      Device device,
      EngineOptions options,
      Plan plan,
      KvStore cache,
      List<AutoCloseable> owned) {
    int layers = model.config().layers().size();
    List<SwapArea> areas = new ArrayList<>();
    if (plan.swapBlocks() > 0) {
      areas.add(new HostSwapArea(device, cache, plan.swapBlocks(), layers));
      owned.add(areas.getLast());
    }
    if (plan.diskSwapBlocks() > 0) {
      Optional<FileSwapArea> file =
          FileSwapArea.tryOpen(
              device, cache, options.temporaryFolder(), plan.diskSwapBlocks(), layers);
      file.ifPresent(areas::add);
      file.ifPresent(owned::add);
    }
    return areas;
  }

  private static TierBytes tierBytes(EngineModel model, Device device, Plan plan) {
    return TierBytes.of(
        plan,
        WeightStore.sizes(model.units(), plan.computeDType(), device.operations()),
        new EnginePlanner(model, device.operations(), plan.computeDType()).kvBlockBytes());
  }

  private static void closeAfter(Throwable failure, List<AutoCloseable> owned) {
    try {
      Closing.all(owned.reversed());
    } catch (RuntimeException e) {
      failure.addSuppressed(e);
    }
  }

  /** What was planned. */
  public Plan plan() {
    return plan;
  }

  /** How much lives where. */
  public TierBytes tierBytes() {
    return tierBytes;
  }

  /** Tells somebody what lanes do in every pass, from the next run on. */
  public void tell(PassListener listener) {
    passes.tell(listener);
  }

  /**
   * A pass of the last run that stands for its steady state, task by task; also after a listener
   * has ended the run by an exception. Empty before the first pass has ended.
   */
  public Optional<PassTimeline> timeline() {
    return passes.timeline();
  }

  /**
   * How often the experts of each layer were chosen, in all runs so far; empty if the model has no
   * experts or nothing was computed. Not to be asked during a run.
   */
  public Optional<RoutingStatistics> routing() {
    return passes.routing();
  }

  /** What a forecast of the next run can know from those so far. Not to be asked during a run. */
  public RunsBefore runsBefore() {
    return passes.runsBefore();
  }

  /** Most tokens that a sequence may have, prompt and output together. */
  public int maxSequenceTokens() {
    return Math.min(rules.contextLength(), passes.maxSequenceTokens());
  }

  /**
   * Generates for all rows of a source. Returns when the source has no more and all are finished.
   *
   * @throws IllegalArgumentException if a row can never run: see {@link #maxSequenceTokens}
   * @throws IllegalStateException if computing fails; the engine must be closed then
   */
  public RunReport run(RequestSource source, ResultSink sink, Progress.Listener listener) {
    return run(source, sink, listener, Optional.empty());
  }

  /** As above, and shows each row of logits to an observer, whole. */
  RunReport run(
      RequestSource source, ResultSink sink, Progress.Listener listener, LogitsObserver observer) {
    return run(source, sink, listener, Optional.of(observer));
  }

  private RunReport run(
      RequestSource source,
      ResultSink sink,
      Progress.Listener listener,
      Optional<LogitsObserver> observer) {
    GenerationJob job = new GenerationJob(rules, prefixes, source, sink, observer);
    return new PassLoop(passes, admission, job, listener).run();
  }

  /**
   * Computes how likely the choices of all rows of a source are, exactly: from the model's own
   * distribution over the whole vocabulary. A prompt is computed once however many choices it has.
   * Returns when the source has no more and all are finished.
   *
   * @throws IllegalArgumentException if a row can never run: prompt and longest choice exceed
   *     {@link #maxSequenceTokens}, or a token id the vocabulary
   * @throws IllegalStateException if computing fails; the engine must be closed then
   */
  public RunReport choose(ChoiceSource source, ChoiceSink sink, Progress.Listener listener) {
    ChoiceJob job = new ChoiceJob(rules, prefixes, source, sink);
    return new PassLoop(passes, AdmissionPolicy.RESERVE_MOST, job, listener).run();
  }

  @Override
  public void close() {
    Closing.all(owned.reversed());
    owned.clear();
  }
}
