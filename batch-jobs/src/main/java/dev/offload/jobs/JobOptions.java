package dev.offload.jobs;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import picocli.CommandLine.Option;

/** Options of every command that works through a file of rows. */
final class JobOptions {
  @Option(
      names = "--kv-tokens",
      paramLabel = "N",
      description = {
        "Reserve KV cache for rows of N tokens, prompt and output together.",
        "Default: 2048 per row on average, and one row as long as the model's context where there"
            + " is memory."
      })
  private Integer kvTokens;

  @Option(
      names = "--errors",
      paramLabel = "FILE",
      description = {
        "Rows that were refused, JSONL, with line number and reason; written only if there are"
            + " any.",
        "Default: beside the output, out.jsonl gives out.errors.jsonl."
      })
  private Path errors;

  @Option(
      names = "--report",
      paramLabel = "FILE",
      description = {
        "Where to write how the job went, at its end: a page if it ends in .html, the same as data"
            + " if it ends in .json. May be given several times."
      })
  private List<Path> reports = List.of();

  @Option(names = "--resume", description = "Continue a job that was interrupted.")
  private boolean resume;

  @Option(
      names = "--overwrite",
      description = "Replace existing output and error files, and begin again.")
  private boolean overwrite;

  @Option(names = Messages.VERBOSE, description = "Show where a failure comes from.")
  void verbose(boolean given) {
    // Read by Messages from the parsed command line, where it also holds for failures before this.
  }

  /** What to do about traces of an earlier job. */
  StartMode mode() throws RefusedException {
    if (resume && overwrite) {
      throw new RefusedException(
          "--resume continues a job and --overwrite begins it again; give one of them");
    }
    return resume ? StartMode.RESUME : overwrite ? StartMode.OVERWRITE : StartMode.NEW;
  }

  /** The error file. */
  Path errors(Path unlessGiven) {
    return errors == null ? unlessGiven : errors;
  }

  /** Where reports go. */
  List<ReportFile> reports(JobFiles files, StartMode mode) throws RefusedException {
    List<ReportFile> checked = reports.stream().map(ReportFile::new).toList();
    for (ReportFile each : checked) {
      each.check(files, mode);
    }
    return checked;
  }

  /** Room in the cache for a row of so many tokens; absent: as memory allows. */
  OptionalInt kvTokens() {
    return kvTokens == null ? OptionalInt.empty() : OptionalInt.of(kvTokens);
  }

  /** Refuses values that mean nothing. */
  void check() throws RefusedException {
    if (kvTokens != null && kvTokens < 1) {
      throw new RefusedException("--kv-tokens is " + kvTokens + ", must be at least 1");
    }
  }
}
