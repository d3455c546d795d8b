package dev.offload.jobs;

import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Options about laying measurements beside what was forecast. */
final class CompareOptions {
  @Option(
      names = "--compare",
      description =
          "Also say what the run was forecast to be, by a simulation of its very passes on a"
              + " machine like this one, and how far that was off.")
  private boolean compare;

  @Option(
      names = "--profile",
      paramLabel = "FILE",
      description = {
        "What this machine can do, as offload profile --save writes it, for --compare.",
        "Default: it is measured before and behind every run, with the model's own matrices."
      })
  private Path profile;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "1",
      description = {
        "With --compare, so many runs, each forecast from what the machine could do just before"
            + " and behind it; taken together, as if they were one.",
        "Default: ${DEFAULT-VALUE}."
      })
  private int rounds;

  @Option(
      names = "--html",
      paramLabel = "FILE",
      description = "With --compare, write a page that lays a measured pass over the forecast one.")
  private Path html;

  @Option(
      names = "--grid",
      paramLabel = "FILE",
      description =
          "Compare once for each line of a file, which gives further options, and print the errors"
              + " of all and their medians. Lines that begin with # are left out.")
  private Path grid;

  /** Refuses what does not go together. */
  void check() throws RefusedException {
    if (rounds < 1) {
      throw new RefusedException("--rounds is " + rounds + ", must be at least 1");
    }
    if (!compares() && (profile != null || html != null || rounds > 1)) {
      throw new RefusedException("--profile, --rounds and --html go with --compare; add it");
    }
  }

  boolean compares() {
    return compare || grid != null;
  }

  /** How many runs. */
  int rounds() {
    return rounds;
  }

  /** A profile that is not to be measured. */
  Optional<Path> profile() {
    return Optional.ofNullable(profile);
  }

  Optional<Path> html() {
    return Optional.ofNullable(html);
  }

  Optional<Path> grid() {
    return Optional.ofNullable(grid);
  }
}
