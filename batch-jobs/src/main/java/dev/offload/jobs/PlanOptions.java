package dev.offload.jobs;

import dev.offload.planner.Workload;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import picocli.CommandLine.Option;

/** What a dry run is about, besides the model. */
final class PlanOptions extends BudgetOptions {
  @Option(
      names = "--hardware",
      paramLabel = "NAME|FILE",
      defaultValue = Profiles.HERE,
      description = {
        "The machine: auto is this one, as offload profile measured it; a preset such as t4 or"
            + " h100 (--list-hardware has all); or a file of offload profile --save.",
        "Default: ${DEFAULT-VALUE}."
      })
  private String hardware;

  @Option(
      names = "--prompt-tokens",
      paramLabel = "N",
      defaultValue = "512",
      description = "Prompt of each request. Default: ${DEFAULT-VALUE}.")
  private int promptTokens;

  @Option(
      names = "--generated-tokens",
      paramLabel = "N",
      defaultValue = "32",
      description = {
        "Output of each request; with --job of rows that do not say. Default: ${DEFAULT-VALUE}."
      })
  private int generatedTokens;

  @Option(
      names = "--requests",
      paramLabel = "N",
      description = {
        "How many there are in all.",
        "Default: so many that beginning and end do not matter; with --job as many as rows."
      })
  private Long requests;

  @Option(
      names = "--job",
      paramLabel = "FILE",
      description =
          "Rows, JSONL as for generate: plan for their lengths instead of --prompt-tokens.")
  private Path job;

  @Option(
      names = "--routing",
      paramLabel = "FILE",
      description = {
        "How often each expert is chosen, as --save-routing of generate, label or bench writes it.",
        "Default: all experts of a layer as often."
      })
  private Path routing;

  @Option(
      names = "--disk",
      paramLabel = "SIZE",
      converter = Bytes.class,
      description = {"Most room for weights in files.", "Default: what the machine has."})
  private Long disk;

  @Option(
      names = "--sequences",
      paramLabel = "N",
      description = "So many sequences in flight, instead of as many as are best.")
  private Integer sequences;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Option(
      names = "--html",
      paramLabel = "FILE",
      description = "Write a page with tier bars, the timeline of a pass, curve and roofline.")
  private Path html;

  @Option(
      names = "--save",
      paramLabel = "FILE",
      description = "Write the plan for --plan of generate, label and bench.")
  private Path save;

  String hardware() {
    return hardware;
  }

  Optional<Path> job() {
    return Optional.ofNullable(job);
  }

  Optional<Path> routing() {
    return Optional.ofNullable(routing);
  }

  int generatedTokens() {
    return generatedTokens;
  }

  /** The work if no job is given. */
  Workload workload() {
    return Workload.of(promptTokens, generatedTokens, requests());
  }

  /** How many requests there are in all, as given. */
  OptionalLong requests() {
    return requests == null ? OptionalLong.empty() : OptionalLong.of(requests);
  }

  OptionalLong disk() {
    return disk == null ? OptionalLong.empty() : OptionalLong.of(disk);
  }

  OptionalInt sequences() {
    return sequences == null ? OptionalInt.empty() : OptionalInt.of(sequences);
  }

  boolean json() {
    return json;
  }

  Optional<Path> html() {
    return Optional.ofNullable(html);
  }

  Optional<Path> save() {
    return Optional.ofNullable(save);
  }

  /** Refuses what no job can be. */
  void checkWork() throws RefusedException {
    check();
    atLeastOne("--prompt-tokens", promptTokens);
    atLeastOne("--generated-tokens", generatedTokens);
    atLeastOne("--requests", requests().orElse(1));
    atLeastOne("--sequences", sequences().orElse(1));
  }

  private static void atLeastOne(String name, long value) throws RefusedException {
    if (value < 1) {
      throw new RefusedException(name + " is " + value + ", must be at least 1");
    }
  }
}
