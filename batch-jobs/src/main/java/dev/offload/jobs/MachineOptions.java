package dev.offload.jobs;

import dev.offload.engine.Engine;
import dev.offload.engine.EngineOptions;
import dev.offload.engine.prefix.PrefixSharing;
import dev.offload.planner.cost.RoutingStatistics;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Options about the machine and how it is used, the same for every command that computes. */
final class MachineOptions extends BudgetOptions {
  @Option(
      names = "--no-prefix-sharing",
      description =
          "Compute every prompt for itself, in the order of the rows, instead of what many begin"
              + " with once.")
  private boolean noPrefixSharing;

  @Option(
      names = "--map-weights",
      description = {
        "Leave weights at home in host memory where their files are in the page cache, pinned, and"
            + " copy them to the device from there: the next start finds them there.",
        "Default: they are copied to memory of the program's own."
      })
  private boolean mapWeights;

  @Option(
      names = "--plan",
      paramLabel = "FILE",
      description = {
        "A plan that offload plan --save wrote for this model and machine.",
        "Default: one is made."
      })
  private Path plan;

  @Option(
      names = "--save-routing",
      paramLabel = "FILE",
      description =
          "Write how often each expert was chosen, for --routing of plan. Of mixtures of experts"
              + " only.")
  private Path saveRouting;

  @Option(
      names = "--trace",
      paramLabel = "FILE",
      description =
          "Write what every lane did in every pass, as JSON that ui.perfetto.dev and Chrome show."
              + " A new file.")
  private Path trace;

  /** Refuses files that are other files of a job. */
  void checkFiles(JobFiles files) throws RefusedException {
    if (saveRouting != null) {
      files.requireApart("--save-routing", saveRouting);
    }
    if (trace != null) {
      files.requireApart("--trace", trace);
    }
  }

  /**
   * Traces what an engine does, if that is wanted.
   *
   * @return ends the trace
   * @throws RefusedException if the file exists or cannot be written
   */
  Closing trace(Engine engine) throws RefusedException {
    Closing closing = new Closing();
    if (trace != null) {
      engine.tell(closing.add(ChromeTrace.create(trace)));
    }
    return closing;
  }

  /**
   * Refuses what could not be written.
   *
   * @throws RefusedException if the model has no experts
   */
  void checkRouting(ModelConfig model) throws RefusedException {
    boolean mixes =
        model.layers().stream().anyMatch(each -> each.feedForward() instanceof MixtureOfExperts);
    if (saveRouting != null && !mixes) {
      throw new RefusedException(
          "--save-routing %s: the model has no experts to choose from; leave it out"
              .formatted(saveRouting));
    }
  }

  /** Writes how often experts were chosen, if that is wanted; returns false if none was chosen. */
  boolean saveRouting(Engine engine) throws IOException {
    if (saveRouting == null) {
      return true;
    }
    Optional<RoutingStatistics> counted = engine.routing();
    if (counted.isPresent()) {
      counted.get().write(saveRouting);
    }
    return counted.isPresent();
  }

  /** Whether weights at home in host memory are to stay in the page cache. */
  boolean mapsWeights() {
    return mapWeights;
  }

  /** A saved plan, if there is one. */
  Optional<Path> plan() {
    return Optional.ofNullable(plan);
  }

  /** As the engine takes them. */
  EngineOptions toEngine(long seed) throws RefusedException {
    EngineOptions usual =
        EngineOptions.of(computeDType(), deviceMemory(), hostMemory(), threads(), seed)
            .withTemporaryFolder(temporary());
    return noPrefixSharing ? usual.withPrefixSharing(PrefixSharing.OFF) : usual;
  }
}
