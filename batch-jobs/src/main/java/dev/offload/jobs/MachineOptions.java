package dev.offload.jobs;

import dev.offload.engine.EngineOptions;
import dev.offload.engine.prefix.PrefixSharing;
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
      names = "--plan",
      paramLabel = "FILE",
      description = {
        "A plan that offload plan --save wrote for this model and machine.",
        "Default: one is made."
      })
  private Path plan;

  /** A saved plan, if there is one. */
  Optional<Path> plan() {
    return Optional.ofNullable(plan);
  }

  /** As the engine takes them. */
  EngineOptions toEngine(long seed) {
    EngineOptions usual =
        EngineOptions.of(computeDType(), deviceMemory(), hostMemory(), threads(), seed)
            .withTemporaryFolder(temporary());
    return noPrefixSharing ? usual.withPrefixSharing(PrefixSharing.OFF) : usual;
  }
}
