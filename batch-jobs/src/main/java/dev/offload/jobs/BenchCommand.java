package dev.offload.jobs;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.MemoryBudgetException;
import dev.offload.engine.AdmissionPolicy;
import dev.offload.engine.EngineOptions;
import dev.offload.engine.RunReport;
import dev.offload.planner.KvGroup;
import dev.offload.planner.Workload;
import dev.offload.planner.hardware.HardwareJson;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.tensors.DType;
import dev.offload.tensors.ModelException;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.weights.ModelFolder;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code offload bench}: measures a model's speed without its weights. */
@Command(
    name = "bench",
    description =
        "Measures tokens per second of a model with random weights, made from its config.json"
            + " alone.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  offload bench --model config.json",
      "  offload bench --model models/tiny --requests 1 --json",
      "  offload bench --model config.json --device-memory 4GiB      streams what does not fit",
      "  offload bench --model config.json --device-memory 4GiB --host-memory 2GiB",
      "      reads the rest from a disk, through files in --temp",
      "  offload bench --model config.json --device-memory 4GiB --max-tokens 512",
      "      requests that end long before they have to; with --reserve-all to compare"
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:measured", "1:the program failed", "2:wrong usage or refused input"})
final class BenchCommand implements Callable<Integer> {
  private static final long SEED = 1;

  /** Memory in which the ceilings are measured, apart from the budgets. */
  private static final long CEILING_BYTES = 4L << 30;

  @Spec private CommandSpec spec;

  @Option(
      names = "--model",
      paramLabel = "DIR|FILE",
      description = "A config.json or the folder that holds it.")
  private Path model;

  @Option(
      names = "--prompt-tokens",
      paramLabel = "N",
      defaultValue = "128",
      description = "Prompt of each request. Default: ${DEFAULT-VALUE}.")
  private int promptTokens;

  @Option(
      names = "--shared-prefix-tokens",
      paramLabel = "N",
      defaultValue = "0",
      description = "So many first tokens of all prompts are the same. Default: ${DEFAULT-VALUE}.")
  private int sharedTokens;

  @Option(
      names = "--generated-tokens",
      paramLabel = "N",
      defaultValue = "32",
      description =
          "Output of each request, or on average with --max-tokens. Default: ${DEFAULT-VALUE}.")
  private int generatedTokens;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      description = {
        "Most tokens that a request may generate, as far as the engine knows; requests then end"
            + " at lengths spread evenly around --generated-tokens.",
        "Default: all have --generated-tokens."
      })
  private Integer maxTokens;

  @Option(
      names = "--reserve-all",
      description =
          "Let a request in only if there is KV cache for the most it may generate, instead of"
              + " what it is expected to.")
  private boolean reserveAll;

  @Option(
      names = "--requests",
      paramLabel = "N",
      defaultValue = "32",
      description = "How many, all there from the start. Default: ${DEFAULT-VALUE}.")
  private int requests;

  @Option(
      names = "--kv",
      paramLabel = "HOME",
      description = {
        "Where the KV cache lives: device, host_streamed (copied to the device in every pass) or"
            + " host_attended (the CPU attends to it).",
        "Default: the planner decides."
      })
  private KvGroup.Home kvHome;

  @Mixin private MachineOptions machine;

  @Mixin private CompareOptions comparing;

  @Option(
      names = "--warm-up",
      paramLabel = "SECONDS",
      defaultValue = "10",
      description = {
        "Run requests of the same kind for about so long before measuring, while Java compiles what"
            + " is used most, and with --compare as long again in turn with measuring the machine;"
            + " 0 measures the start too.",
        "Default: ${DEFAULT-VALUE}."
      })
  private int warmUpSeconds;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Option(names = Messages.VERBOSE, description = "Show where a failure comes from.")
  void verbose(boolean given) {
    // Read by Messages from the parsed command line.
  }

  @Override
  public Integer call() throws RefusedException {
    machine.check();
    comparing.check();
    if (comparing.grid().isPresent()) {
      return new CompareGrid(spec.commandLine()).run(comparing.grid().get(), json);
    }
    if (model == null) {
      throw new RefusedException("--model is missing; name a config.json or its folder");
    }
    if (warmUpSeconds < 0) {
      throw new RefusedException("--warm-up is %d, must not be negative".formatted(warmUpSeconds));
    }
    BenchReport report = measure();
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(report.toJson());
    } else {
      report.print(out);
    }
    return ExitCode.OK;
  }

  /** Measures, and writes the page if one is wanted. */
  BenchReport measure() throws RefusedException {
    return withModel(this::measure);
  }

  /** Lays the run beside its forecast, without measuring what the machine could do at best. */
  Comparison compare() throws RefusedException {
    return withModel((folder, load) -> measured(folder, load).comparison().orElseThrow());
  }

  /** Something about a model and a load. */
  @FunctionalInterface
  private interface OfModel<T> {
    T apply(ModelFolder folder, BenchLoad load) throws IOException, RefusedException;
  }

  private <T> T withModel(OfModel<T> what) throws RefusedException {
    try (ModelFolder folder = ModelFolder.fromConfig(model)) {
      int most = maxTokens != null ? maxTokens : generatedTokens;
      BenchLoad load = new BenchLoad(promptTokens, sharedTokens, generatedTokens, most, requests);
      refuseTooLong(folder.config(), load);
      machine.checkRouting(folder.config());
      if (comparing.compares() && sharedTokens > 0) {
        throw new RefusedException(
            "--shared-prefix-tokens is %d, but forecasts know of no shared prefixes; leave it out"
                .formatted(sharedTokens));
      }
      return what.apply(folder, load);
    } catch (ModelException | MemoryBudgetException | IllegalArgumentException | IOException e) {
      throw new RefusedException(Messages.plain(e), e);
    }
  }

  private String title(BenchLoad load) {
    return "%s, %d requests of %d + %d tokens"
        .formatted(model, load.requests(), load.promptTokens(), load.generatedTokens());
  }

  private static void refuseTooLong(ModelConfig config, BenchLoad load) throws RefusedException {
    int tokens = load.promptTokens() + load.maxTokens();
    if (tokens > config.contextLength()) {
      throw new RefusedException(
          "--prompt-tokens and %s are %d together, the model's context is %d"
              .formatted(
                  load.isUneven() ? "--max-tokens" : "--generated-tokens",
                  tokens,
                  config.contextLength()));
    }
  }

  private BenchReport measure(ModelFolder folder, BenchLoad load)
      throws IOException, RefusedException {
    DType dtype = machine.toEngine(SEED).computeDType().orElse(folder.config().storedDType());
    BenchBound bound = new BenchBound(folder.config(), folder.units(), dtype);
    if (warmUpSeconds > 0) { // else the start is measured, with nothing compiled yet
      measure(bound);
    }
    BenchMeasurement.Found found = measured(folder, load);
    measure(bound);
    if (comparing.html().isPresent()) {
      Files.writeString(comparing.html().get(), found.comparison().orElseThrow().page(title(load)));
    }
    RunReport run = found.runs().getLast();
    return new BenchReport(
        found.device(),
        load,
        found.loadNanos(),
        run,
        bound.tokensPerSecond(load, run.promptTokens(), Ceilings.Level.BEST),
        bound.tokensPerSecond(load, run.promptTokens(), Ceilings.Level.USUAL),
        bound.copiedBytesPerSecond(),
        found.disk(),
        found.comparison());
  }

  private BenchMeasurement.Found measured(ModelFolder folder, BenchLoad load)
      throws IOException, RefusedException {
    return new BenchMeasurement(machine, options(load), load, warmUpSeconds)
        .measure(model, folder, comparing.rounds(), profiles());
  }

  private Optional<ProfileSource.ForPasses> profiles() throws IOException, RefusedException {
    if (!comparing.compares()) {
      return Optional.empty();
    }
    if (comparing.profile().isPresent()) {
      HardwareProfile read = HardwareJson.read(comparing.profile().get());
      return Optional.of((_, _, _) -> _ -> read);
    }
    return Optional.of((model, plan, passes) -> new ModelProfile(machine, model, plan, passes));
  }

  private EngineOptions options(BenchLoad load) throws RefusedException {
    EngineOptions usual = machine.toEngine(SEED);
    return new EngineOptions(
        usual.computeDType(),
        usual.deviceMemory(),
        usual.hostMemory(),
        usual.threads(),
        usual.seed(),
        usual.batching(),
        Optional.of(
            Workload.of(
                load.promptTokens(), load.generatedTokens(), OptionalLong.of(load.requests()))),
        OptionalInt.of(load.promptTokens() + load.maxTokens()),
        kvHome == null ? usual.kvHome() : Optional.of(kvHome),
        reserveAll ? AdmissionPolicy.RESERVE_MOST : AdmissionPolicy.EXPECTED_LENGTH,
        usual.prefixSharing(),
        usual.temporaryFolder(),
        usual.overlap());
  }

  /** In memory of its own, at another time than the run, so that it takes nothing from it. */
  private void measure(BenchBound bound) throws RefusedException {
    FoundDevice found = machine.device();
    long bytes = Math.min(CEILING_BYTES, found.description().memoryBytes() / 2);
    try (Device device = found.open(bytes, CEILING_BYTES, machine.threads())) {
      bound.measure(device);
    }
  }
}
