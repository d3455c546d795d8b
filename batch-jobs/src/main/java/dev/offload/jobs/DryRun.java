package dev.offload.jobs;

import dev.offload.backends.api.Device;
import dev.offload.engine.PlanFacts;
import dev.offload.jobs.plan.ShapePlanner;
import dev.offload.jobs.report.PlanReport;
import dev.offload.jobs.report.ReportMaker;
import dev.offload.planner.KvGroup;
import dev.offload.planner.ModelSizes;
import dev.offload.planner.PassTimeline;
import dev.offload.planner.PlanFile;
import dev.offload.planner.Recommendation;
import dev.offload.planner.Recommendation.Alternative;
import dev.offload.planner.Workload;
import dev.offload.planner.cost.RoutingStatistics;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.search.Planner;
import dev.offload.planner.search.Wishes;
import dev.offload.planner.simulate.SteadyPass;
import dev.offload.tensors.ByteSize;
import dev.offload.tensors.DType;
import dev.offload.tensors.Tier;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.tensors.weights.ModelShape;
import dev.offload.tensors.weights.ModelSize;
import dev.offload.tensors.weights.UnitId;
import dev.offload.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Plans for a model on a machine, neither of which need be there. Where a device of this machine
 * says how it keeps weights, it stays open until {@link #close}: sizes are asked for all along.
 */
final class DryRun implements AutoCloseable {
  /** With more units simulating a pass takes longer than finding the plan. */
  private static final int MOST_UNITS_PLAYED = 4000;

  private final Path path;
  private final PlanOptions options;
  private final ModelShape shape;
  private final FoundProfile machine;
  private final Optional<Device> device;
  private final ShapePlanner shapes;
  private final ModelSizes sizes;
  private final Workload workload;
  private final Optional<RoutingStatistics> routing;
  private final Planner planner;
  private final Recommendation found;

  /**
   * Plans.
   *
   * @param path a config.json or the folder that holds it
   * @throws RefusedException if an option cannot be met
   * @throws IllegalArgumentException if the model does not fit the machine
   */
  static DryRun of(Path path, PlanOptions options) throws IOException, RefusedException {
    ModelShape shape = ModelFolder.describe(path);
    FoundProfile machine = Profiles.ofUser().find(options.hardware(), options);
    Optional<Device> device = Optional.empty();
    if (machine.profile().sharing().deviceIsHost() || isHere(options)) {
      device = Optional.of(openHere(options));
    }
    try {
      return new DryRun(path, options, shape, machine, device);
    } catch (IOException | RefusedException | RuntimeException e) {
      device.ifPresent(Device::close);
      throw e;
    }
  }

  private DryRun(
      Path path,
      PlanOptions options,
      ModelShape shape,
      FoundProfile machine,
      Optional<Device> device)
      throws IOException, RefusedException {
    this.path = path;
    this.options = options;
    this.shape = shape;
    this.machine = machine;
    this.device = device;
    HardwareProfile profile = machine.profile();
    this.shapes =
        device.isPresent()
            ? ShapePlanner.of(shape, profile, device.get().operations())
            : ShapePlanner.of(shape, profile);
    this.sizes = shapes.sizes(options.computeDType().orElse(shapes.usualFormat()), staysPacked());
    this.workload = workload();
    int context = shape.config().contextLength();
    if (workload.longest() > context) {
      throw new RefusedException(
          "requests have up to %d tokens of prompt and output together, the model's context is %d"
              .formatted(workload.longest(), context));
    }
    this.routing = routing();
    Planner usual = shapes.planner(workload, wishes(profile));
    this.planner = routing.map(usual::withRouting).orElse(usual);
    try {
      this.found = planner.recommend(List.of(sizes));
    } catch (IllegalArgumentException e) {
      throw new RefusedException(e.getMessage() + smallerFormat(), e);
    }
  }

  private Optional<RoutingStatistics> routing() throws IOException {
    if (options.routing().isEmpty()) {
      return Optional.empty();
    }
    RoutingStatistics read = RoutingStatistics.read(options.routing().get());
    read.requireMatches(options.routing().get(), shape.config());
    return Optional.of(read);
  }

  /** What a format with smaller weights would change where the chosen one does not fit. */
  private String smallerFormat() {
    Optional<ModelSizes> smaller = smallerSizes();
    if (smaller.isEmpty()) {
      return "";
    }
    try {
      planner.plan(smaller.get());
      return "; %s would fit".formatted(smallerName());
    } catch (IllegalArgumentException e) {
      return "";
    }
  }

  /** The other plan that users should know of: with weights in a smaller format. */
  private List<Alternative> alternatives() {
    List<Alternative> all = new ArrayList<>(found.alternatives());
    smallerSizes()
        .map(smaller -> planner.recommend(List.of(smaller)).prediction())
        .ifPresent(
            smaller ->
                all.addFirst(
                    new Alternative(
                        smallerName(),
                        smaller.tokensPerSecond(),
                        "smaller weights; answers may differ a little, so it is for you to say")));
    return all;
  }

  private Optional<ModelSizes> smallerSizes() {
    if (shape.packing().isPresent() && !staysPacked()) {
      return Optional.of(shapes.sizes(sizes.computeDType(), true));
    }
    return sizes.computeDType() == DType.F32
        ? Optional.of(shapes.sizes(DType.BF16, false))
        : Optional.empty();
  }

  private String smallerName() {
    return shape.packing().isPresent()
        ? "weights packed as the checkpoint has them, without --dtype,"
        : "--dtype bfloat16";
  }

  /** Packed weights are planned with as they are, unless a format is given. */
  private boolean staysPacked() {
    return shape.packing().isPresent() && options.computeDType().isEmpty();
  }

  private Wishes wishes(HardwareProfile profile) {
    return Wishes.of(
            options.givenDeviceMemory().orElse(shapes.deviceBytes()),
            options.givenHostMemory().orElse(shapes.hostBytes()),
            options.disk().orElse(profile.disk().freeBytes()),
            workload.longest())
        .withSequences(options.sequences());
  }

  private static boolean isHere(PlanOptions options) {
    return options.hardware().equals(Profiles.HERE);
  }

  /** A device that keeps weights as the machine does; this processor stands for all processors. */
  private static Device openHere(PlanOptions options) throws RefusedException {
    FoundDevice found = isHere(options) ? options.device() : DeviceFinder.processor();
    return found.open(1L << 20, 1L << 20, options.threads());
  }

  @Override
  public void close() {
    device.ifPresent(Device::close);
  }

  private Workload workload() throws IOException, RefusedException {
    if (options.job().isEmpty()) {
      return options.workload();
    }
    Path job = options.job().get();
    if (!Files.isRegularFile(job)) {
      throw new RefusedException("--job " + job + " is no file; name a file of rows, JSONL");
    }
    Workload read;
    if (Files.isDirectory(path) && Files.exists(path.resolve("tokenizer.json"))) {
      try (Tokenizer tokenizer = Tokenizer.open(path)) {
        int context = shape.config().contextLength();
        ModelPrompts prompts = new ModelPrompts(path, tokenizer, shape.config(), context);
        read = JobLengths.read(job, Optional.of(prompts), options.generatedTokens());
      }
    } else {
      read = JobLengths.read(job, Optional.empty(), options.generatedTokens());
    }
    return new Workload(
        read.lengths(), options.requests().isPresent() ? options.requests() : read.requests());
  }

  /** Whether a pass has few enough tasks to be simulated whenever somebody asks for a plan. */
  boolean isPlayedQuickly() {
    return sizes.units().size() <= MOST_UNITS_PLAYED;
  }

  /**
   * What was found.
   *
   * @param withPass whether to simulate a pass too
   */
  PlanReport report(boolean withPass) {
    List<String> warnings = new ArrayList<>(found.warnings());
    shape
        .refusal()
        .ifPresent(reason -> warnings.add("this version cannot run the model: " + reason));
    if (staysPacked()) {
      warnings.add(
          "planned with weights that stay packed as %s, as in the checkpoint; --dtype plans without"
              .formatted(shape.packing().get().format().method()));
    }
    if (options.job().isPresent() && !Files.exists(path.resolve("tokenizer.json"))) {
      warnings.add("the model has no tokenizer; lengths of prompts are estimates");
    }
    warnings.add("machine: " + machine.remark());
    return new PlanReport(
        name(),
        facts(),
        found.with(alternatives(), warnings),
        placement(),
        withPass ? Optional.of(ReportMaker.timeline(pass())) : Optional.empty());
  }

  private PassTimeline pass() {
    DType rows = shapes.layout().matrixInput(found.plan().computeDType());
    return SteadyPass.play(
            found.plan(),
            shape.config(),
            shapes.model().units(),
            sizes,
            rows,
            machine.profile(),
            workload,
            routing)
        .timeline(1);
  }

  /**
   * The plan with what it was made for.
   *
   * @throws RefusedException if nothing could run it
   */
  PlanFile file() throws RefusedException {
    if (shape.refusal().isPresent()) {
      throw new RefusedException(
          "--save: this version cannot run the model: " + shape.refusal().get());
    }
    return new PlanFile(
        PlanFacts.of(shapes.model(), shapes.layout(), found.plan().computeDType()), found.plan());
  }

  private String name() {
    Path folder = path.toAbsolutePath().normalize();
    Path named = Files.isDirectory(folder) ? folder : folder.getParent();
    return named.getFileName() == null ? path.toString() : named.getFileName().toString();
  }

  private Map<String, String> facts() {
    ModelConfig config = shape.config();
    ModelSize size = shape.size();
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("parameters", billions(size.parameters()));
    if (size.activeParameters() < size.parameters()) {
      facts.put("active per token", billions(size.activeParameters()));
    }
    facts.put(
        "weights in",
        staysPacked()
            ? shape.packing().get().format().method()
            : lower(found.plan().computeDType()));
    facts.put("KV cache per token", ByteSize.format(sizes.kvBlockBytes() / sizes.kvBlockTokens()));
    facts.put("layers", Integer.toString(config.layers().size()));
    long experts =
        sizes.units().stream().filter(unit -> unit.id().kind() == UnitId.Kind.EXPERT).count();
    if (!found.plan().hostExperts().isEmpty()) {
      facts.put(
          "experts computed on the host",
          "%d of %d".formatted(found.plan().hostExperts().size(), experts));
    }
    routing.ifPresent(
        counted ->
            facts.put(
                "experts used per pass",
                String.format(
                    Locale.ROOT,
                    "%.1f %% by %s",
                    100 * counted.usedShare(found.prediction().passTokens()),
                    options.routing().orElseThrow())));
    return facts;
  }

  private static String billions(long parameters) {
    return parameters < 10_000_000
        ? String.format(Locale.ROOT, "%,d", parameters)
        : String.format(Locale.ROOT, "%,.2f billion", parameters / 1e9);
  }

  private Map<String, Map<Tier, Long>> placement() {
    Map<String, Map<Tier, Long>> placement = new LinkedHashMap<>();
    sizes
        .units()
        .forEach(
            unit -> {
              Tier tier = found.plan().placement().get(unit.id());
              if (tier != null && unit.imageBytes() > 0) {
                long bytes = tier == Tier.DISK ? unit.rowMajorBytes() : unit.imageBytes();
                placement
                    .computeIfAbsent(
                        unit.id().kind().name().toLowerCase(Locale.ROOT),
                        _ -> new LinkedHashMap<>())
                    .merge(tier, bytes, Long::sum);
              }
            });
    Map<Tier, Long> cache = new LinkedHashMap<>();
    found
        .plan()
        .kvGroups()
        .forEach(
            group ->
                cache.merge(
                    group.home() == KvGroup.Home.DEVICE ? Tier.DEVICE : Tier.HOST,
                    group.blocks() * sizes.kvBlockBytes(),
                    Long::sum));
    placement.put("kv_cache", cache);
    return placement;
  }

  private static String lower(DType dtype) {
    return dtype.name().toLowerCase(Locale.ROOT);
  }
}
