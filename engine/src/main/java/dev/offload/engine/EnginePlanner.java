package dev.offload.engine;

import dev.offload.backends.api.DataLayout;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.KvBlocks;
import dev.offload.backends.api.OperationSizes;
import dev.offload.engine.pass.MicroBatchInput;
import dev.offload.engine.prefix.PrefixSharing;
import dev.offload.engine.prefix.PrefixWindow;
import dev.offload.engine.weights.HostExpertWeights;
import dev.offload.engine.weights.UnitFiller;
import dev.offload.engine.weights.UnitLoader;
import dev.offload.engine.weights.WeightStore;
import dev.offload.planner.Granule;
import dev.offload.planner.KvGroup;
import dev.offload.planner.ModelSizes;
import dev.offload.planner.Plan;
import dev.offload.planner.UnitSize;
import dev.offload.planner.Workload;
import dev.offload.planner.hardware.HardwareEstimate;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.hardware.MachineFacts;
import dev.offload.planner.search.Planner;
import dev.offload.planner.search.Wishes;
import dev.offload.tensors.ByteSize;
import dev.offload.tensors.DType;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.ModelConfig.Attention;
import dev.offload.tensors.model.ModelConfig.Layer;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import dev.offload.tensors.model.Rope;
import dev.offload.tensors.model.RopeTable;
import dev.offload.tensors.weights.Role;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** What the planner has to know about a model on a device: the sizes of everything. */
final class EnginePlanner implements ModelSizes {
  /** Sequences in flight with which a processor multiplies at full rate. */
  private static final int USUAL_SEQUENCES = 128;

  /** Tokens of a micro-batch, likewise. */
  private static final int USUAL_MICRO_BATCH_TOKENS = 512;

  /** Cache slots of a sequence where nothing is said of lengths, as far as there is room. */
  private static final int DEFAULT_KV_TOKENS = 2048;

  /** Tokens that a row is expected to have then, prompt and output. */
  private static final int EXPECTED_TOKENS = 256;

  /** This part of a row is taken for generated. */
  private static final int GENERATED_PART = 4;

  private static final Workload SHORTEST = Workload.of(1, 1, OptionalLong.empty());

  private static final long PAGE_BYTES = 4096;

  /**
   * Rows of an expert with which products run at full rate. With half as many the processor of
   * docs/performance.md multiplies an eighth slower.
   */
  private static final long EXPERT_ROWS = 128;

  /** Mixtures of very many experts would need passes whose activations fill the memory. */
  private static final int MOST_TOKENS_FOR_EXPERTS = 2048;

  private final EngineModel model;
  private final ModelConfig config;
  private final DataLayout layout;
  private final DataLayout hostLayout;
  private final DType computeDType;
  private final List<UnitSize> units;
  private final UnitLoader.Area loading;
  private final KvBlocks.Format kvFormat;
  private final List<Rope> ropes;
  private final LargestOperations operations;
  private final long sinkBytes;

  /** Where host and device compute in the same order. */
  EnginePlanner(EngineModel model, DataLayout layout, DType computeDType) {
    this(model, layout, layout, computeDType);
  }

  EnginePlanner(EngineModel model, DataLayout layout, DataLayout hostLayout, DType computeDType) {
    this.model = model;
    this.config = model.config();
    this.layout = layout;
    this.hostLayout = hostLayout;
    this.computeDType = computeDType;
    layout.matrixInput(computeDType); // refuses what the device cannot multiply
    this.units = WeightStore.sizes(model.units(), computeDType, layout, hostLayout);
    this.loading = WeightStore.loadingArea(model.units(), computeDType, layout);
    Attention attention = config.layers().getFirst().attention();
    this.kvFormat = format(attention);
    for (Layer layer : config.layers()) {
      if (!format(layer.attention()).equals(kvFormat)) {
        throw new IllegalArgumentException(
            "layers with KV heads of different shapes are not supported: %s and %s"
                .formatted(kvFormat, format(layer.attention())));
      }
    }
    this.ropes = ropes(config);
    this.operations = new LargestOperations(config, model.units(), computeDType, kvFormat);
    this.sinkBytes = HostSinks.bytes(model);
  }

  private KvBlocks.Format format(Attention attention) {
    return new KvBlocks.Format(
        computeDType,
        layout.kvBlockTokens(),
        attention.keyValueHeads(),
        attention.headDim(),
        attention.valueDim(),
        attention.latent().isPresent());
  }

  /** The plan for an engine with these options, on a processor that was not measured. */
  static Plan plan(EngineModel model, Device device, EngineOptions options) {
    return plan(model, device, options, estimate(options));
  }

  /** The plan for an engine with these options on a machine with these rates. */
  static Plan plan(
      EngineModel model, Device device, EngineOptions options, HardwareProfile machine) {
    DType computeDType = options.computeDType().orElse(model.config().storedDType());
    EnginePlanner sizes = new EnginePlanner(model, device.operations(), computeDType);
    return sizes.plan(options, machine);
  }

  /**
   * Where everything fits a device that is this processor, sequences beyond some number gain
   * nothing and the search for the best number is left out.
   */
  private Plan plan(EngineOptions options, HardwareProfile machine) {
    Batching wanted = options.batching();
    boolean free = wanted.sequences().isEmpty();
    if (free && !machine.sharing().deviceIsHost()) {
      return plan(options, machine, wanted);
    }
    Batching usual = wanted.orElse(usualSequences(options), 1, USUAL_MICRO_BATCH_TOKENS);
    Plan plan = plan(options, machine, usual);
    if (free && !isResident(plan)) {
      return plan(options, machine, wanted);
    }
    return wanted.microBatchTokens().isPresent()
        ? plan
        : withRowsForExperts(options, machine, usual, plan);
  }

  private static int usualSequences(EngineOptions options) {
    long requests =
        options
            .workload()
            .map(Workload::requests)
            .orElse(OptionalLong.empty())
            .orElse(USUAL_SEQUENCES);
    return (int) Math.min(USUAL_SEQUENCES, requests);
  }

  /** Whether weights and cache are on the device. */
  private static boolean isResident(Plan plan) {
    return plan.ringBytes() == 0
        && plan.hostExperts().isEmpty()
        && plan.kvGroups().stream().allMatch(group -> group.home() == KvGroup.Home.DEVICE);
  }

  private Plan plan(EngineOptions options, HardwareProfile machine, Batching batching) {
    int context = config.contextLength();
    int cache = Math.min(context, options.kvTokensPerSequence().orElse(DEFAULT_KV_TOKENS));
    if (options.kvTokensPerSequence().isPresent()) {
      try {
        return plan(options, machine, batching, workload(options, cache), cache, cache);
      } catch (IllegalArgumentException e) {
        throw fitsShortestRows(options, machine, batching) ? withCache(e, cache) : e;
      }
    }
    try {
      Workload expected = workload(options, Math.min(cache, EXPECTED_TOKENS));
      return plan(options, machine, batching, expected, 1, cache);
    } catch (IllegalArgumentException e) { // no room for one of them; rows may be shorter
      return plan(options, machine, batching, SHORTEST, 1, cache);
    }
  }

  /** Whether there is a plan for rows of one token: if so, it is the cache that does not fit. */
  private boolean fitsShortestRows(
      EngineOptions options, HardwareProfile machine, Batching batching) {
    try {
      plan(options, machine, batching, SHORTEST, 1, 1);
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  /** What is known of the requests, or if nothing is, that they have so many tokens. */
  private Workload workload(EngineOptions options, int tokens) {
    int generated = Math.max(1, tokens / GENERATED_PART);
    return options
        .workload()
        .map(known -> known.cut(Math.max(2, config.contextLength())))
        .orElseGet(
            () -> Workload.of(Math.max(1, tokens - generated), generated, OptionalLong.empty()));
  }

  /**
   * Of a pass an expert gets few rows, and few rows are multiplied slowly, so passes of a mixture
   * are longer. Not where weights or cache would have to leave the device for it.
   */
  private Plan withRowsForExperts(
      EngineOptions options, HardwareProfile machine, Batching batching, Plan usual) {
    int groups = usual.kvGroups().size();
    int tokens = Math.ceilDiv(tokensForExperts(), groups);
    if (tokens <= usual.microBatchTokens() || usual.ringBytes() > 0) {
      return usual;
    }
    Plan longer =
        plan(
            options,
            machine,
            new Batching(batching.sequences(), batching.microBatches(), OptionalInt.of(tokens)));
    boolean nothingIsLost =
        longer.microBatchTokens() == tokens
            && longer.ringBytes() == 0
            && longer.maxSequences() == usual.maxSequences()
            && cacheBlocks(longer) == cacheBlocks(usual);
    return nothingIsLost ? longer : usual;
  }

  /** Tokens of a pass of which the experts of each layer get enough rows on average. */
  private int tokensForExperts() {
    int most = 0;
    for (Layer layer : config.layers()) {
      if (layer.feedForward() instanceof MixtureOfExperts mixture) {
        long tokens = Math.ceilDiv(EXPERT_ROWS * mixture.experts(), mixture.expertsPerToken());
        most = Math.max(most, (int) Math.min(tokens, MOST_TOKENS_FOR_EXPERTS));
      }
    }
    return most;
  }

  private static long cacheBlocks(Plan plan) {
    return plan.kvGroups().stream().mapToLong(KvGroup::blocks).sum();
  }

  /**
   * Plans.
   *
   * @param least tokens of a row for which there must be room
   * @param cached tokens of a row for which there should be room on average
   */
  private Plan plan(
      EngineOptions options,
      HardwareProfile machine,
      Batching batching,
      Workload workload,
      int least,
      int cached) {
    Wishes wishes =
        new Wishes(
            options.deviceMemory(),
            options.hostMemory(),
            fileBytes(),
            batching.sequences(),
            batching.microBatches(),
            batching.microBatchTokens(),
            least,
            cached,
            options.kvHome());
    return Planner.of(config, model.units(), machine, workload, wishes).plan(this);
  }

  private static HardwareProfile estimate(EngineOptions options) {
    return HardwareEstimate.of(
        new MachineFacts(
            "here",
            "this processor",
            options.threads(),
            Math.max(1, options.deviceMemory() + options.hostMemory()),
            0));
  }

  /** Weights on disk stay in the files they come from, which have room for all of them. */
  private long fileBytes() {
    return units.stream()
        .mapToLong(unit -> Math.max(unit.imageBytes(), unit.rowMajorBytes()))
        .sum();
  }

  /** A refusal that says what part of the memory the cache of one row takes. */
  private IllegalArgumentException withCache(IllegalArgumentException refusal, int rowTokens) {
    int blocks = (rowTokens + kvFormat.blockTokens() - 1) / kvFormat.blockTokens();
    return new IllegalArgumentException(
        "%s; the KV cache for one row of %d tokens takes %s of it"
            .formatted(refusal.getMessage(), rowTokens, ByteSize.format(blocks * kvBlockBytes())),
        refusal);
  }

  KvBlocks.Format kvFormat() {
    return kvFormat;
  }

  /** Most cache blocks of one sequence of a group. */
  int blocksPerSequence(KvGroup group) {
    return Math.min(
        group.blocks(),
        (config.contextLength() + kvFormat.blockTokens() - 1) / kvFormat.blockTokens());
  }

  MicroBatchInput.Model inputModel(LookupTables tables) {
    return new MicroBatchInput.Model(
        tables.tokens(),
        tables.positions(),
        config.embedding().positionOffset(),
        ropes,
        ropes.stream().map(RopeTable::new).toList(),
        kvFormat.blockTokens());
  }

  /**
   * Which prefixes can be shared. Where rotations depend on how long a sequence is, only prompts
   * within the context for which that makes no difference share anything.
   */
  PrefixWindow.Limits prefixLimits(PrefixSharing sharing) {
    int mostPromptTokens =
        ropes.stream()
            .mapToInt(rope -> new RopeTable(rope).mostTokensOfEqualRows())
            .min()
            .orElse(Integer.MAX_VALUE);
    return new PrefixWindow.Limits(sharing, kvFormat.blockTokens(), mostPromptTokens);
  }

  private static List<Rope> ropes(ModelConfig config) {
    return config.layers().stream()
        .map(layer -> layer.attention().rope())
        .filter(rope -> rope.dimensions() > 0)
        .distinct()
        .toList();
  }

  HostAttention newHostAttention(Device device, Device host, HostSinks sinks, Plan plan) {
    return new HostAttention(
        device,
        host,
        sinks,
        layout.matrixInput(computeDType),
        plan.microBatchTokens(),
        widestQkv(),
        widestAttended());
  }

  /** What computes experts on the host, if the plan has it do so. */
  Optional<HostExperts> newHostExperts(
      Device device, Device host, Plan plan, List<Granule> granules, List<AutoCloseable> owned) {
    if (plan.hostExperts().isEmpty()) {
      return Optional.empty();
    }
    HostExpertWeights weights;
    try (UnitFiller filler = model.filler()) {
      weights = HostExpertWeights.load(device, host, computeDType, model.units(), granules, filler);
    }
    owned.add(weights);
    HostExperts experts = new HostExperts(device, host, plan, hostExpertSizes(plan), weights);
    owned.add(experts);
    return Optional.of(experts);
  }

  private HostExperts.Sizes hostExpertSizes(Plan plan) {
    return HostExperts.Sizes.of(
        config, plan, layout.matrixInput(computeDType), hostLayout.matrixInput(computeDType));
  }

  /** The sinks for groups that are attended on the host, if the plan has any. */
  HostSinks hostSinks(Device device, Device host, Plan plan, List<AutoCloseable> owned) {
    return plan.attendsOnHost() ? HostSinks.load(model, device, host, owned) : HostSinks.none();
  }

  private int widestQkv() {
    return config.layers().stream().mapToInt(l -> l.attention().qkvWidth()).max().orElseThrow();
  }

  private int widestAttended() {
    return config.layers().stream()
        .mapToInt(l -> l.attention().attendedWidth())
        .max()
        .orElseThrow();
  }

  @Override
  public DType computeDType() {
    return computeDType;
  }

  @Override
  public List<UnitSize> units() {
    return units;
  }

  @Override
  public long tableBytes() {
    return model.tableBytes();
  }

  @Override
  public long kvBlockBytes() {
    return layout.kvBlockBytes(kvFormat) * config.layers().size();
  }

  @Override
  public int kvBlockTokens() {
    return kvFormat.blockTokens();
  }

  @Override
  public int contextLength() {
    return config.contextLength();
  }

  @Override
  public long deviceBytes(Plan plan) {
    long running =
        Workspace.bytes(config, plan, layout.matrixInput(computeDType))
            + inputBytes(plan)
            + 4L * plan.maxSequences()
            + scratchBytes(plan);
    for (KvGroup group : plan.kvGroups()) {
      running += group.home() == KvGroup.Home.HOST_ATTENDED ? attentionBytes(plan) : 0;
    }
    return running + slack(plan);
  }

  /**
   * What operations work in: those of the passes, and those that the host computes, which has a
   * stream for each KV group that it attends to and one for experts, on the same device.
   */
  private long scratchBytes(Plan plan) {
    OperationSizes sizes = operations.largest(plan);
    long streams =
        plan.kvGroups().stream().filter(g -> g.home() == KvGroup.Home.HOST_ATTENDED).count()
            + (plan.hostExperts().isEmpty() ? 0 : 1);
    return layout.scratchBytes(sizes) + streams * hostLayout.scratchBytes(sizes);
  }

  @Override
  public long loadingBytes() {
    return loading.rowMajor() + loading.packed() + 2 * PAGE_BYTES;
  }

  @Override
  public long hostBytes(Plan plan) {
    long running = inputBytes(plan) + 4L * plan.maxSequences() * (1 + config.vocabularySize());
    for (KvGroup group : plan.kvGroups()) {
      running += group.home() == KvGroup.Home.HOST_ATTENDED ? attentionBytes(plan) : 0;
    }
    if (plan.attendsOnHost()) {
      running += sinkBytes;
    }
    running += MixtureModule.hostBytes(plan.passTokens() * expertsPerToken());
    long whileLoading = loading.rowMajor();
    if (!plan.hostExperts().isEmpty()) {
      running += hostExpertSizes(plan).bytes();
      whileLoading = HostExpertWeights.loadingBytes(loading);
    }
    return Math.max(running, whileLoading) + slack(plan);
  }

  /** Allocations are rounded up to pages, and cache runs to cache lines. */
  private long slack(Plan plan) {
    int pieces = 16 + 8 * plan.kvGroups().size() + units.size() / 4;
    pieces += plan.hostExperts().isEmpty() ? 0 : 4 + config.layers().size();
    return PAGE_BYTES * pieces + 64L * plan.kvGroups().size() * config.layers().size();
  }

  private long inputBytes(Plan plan) {
    int rotations = ropes.stream().mapToInt(Rope::dimensions).sum();
    int positionWidth =
        model.embedding().find(Role.POSITION_TABLE).map(table -> table.columns()).orElse(0);
    long bytes = 0;
    for (KvGroup group : plan.kvGroups()) {
      bytes +=
          MicroBatchInput.bytes(
              plan.microBatchTokens(),
              group.sequences(),
              (config.contextLength() + kvFormat.blockTokens() - 1) / kvFormat.blockTokens(),
              config.embedding().width(),
              positionWidth,
              rotations);
    }
    return bytes;
  }

  private long attentionBytes(Plan plan) {
    return HostAttention.qkvBytes(plan.microBatchTokens(), widestQkv())
        + HostAttention.attendedBytes(
            plan.microBatchTokens(), widestAttended(), layout.matrixInput(computeDType));
  }

  private int expertsPerToken() {
    return config.layers().stream()
        .map(Layer::feedForward)
        .mapToInt(f -> f instanceof MixtureOfExperts mixture ? mixture.expertsPerToken() : 0)
        .max()
        .orElse(0);
  }
}
