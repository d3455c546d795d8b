package dev.offload.jobs;

import dev.offload.jobs.journal.JobDescription;
import dev.offload.jobs.journal.JobLock;
import dev.offload.jobs.rows.RowDefaults;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code offload generate}: answers the rows of a file. */
@Command(
    name = "generate",
    description = "Answers every row of a JSONL file with a model, in input order.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  offload generate --model models/tiny --input in.jsonl --output out.jsonl",
      "      answers rows such as {\"id\": 1, \"prompt\": \"The kernel is\", \"max_tokens\": 32}",
      "      or {\"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}], \"temperature\":"
          + " 0.7}",
      "      or OpenAI batch rows {\"custom_id\": …, \"method\": \"POST\", \"url\": …, \"body\":"
          + " {…}}",
      "  offload generate … --resume",
      "      continues after a kill: no row is lost, none is answered twice",
      "  offload generate … --device-memory 8GiB --host-memory 32GiB",
      "      a model larger than 8 GiB streams the rest from RAM, and from disk beyond that"
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:all rows were answered",
      "1:the program failed; run again with --resume",
      "2:wrong usage or refused input; nothing was generated",
      "3:the job is done and some rows are in the error file"
    })
final class GenerateCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--model",
      paramLabel = "DIR",
      required = true,
      description = "Folder with config.json, tokenizer.json and *.safetensors.")
  private Path model;

  @Option(names = "--input", paramLabel = "FILE", required = true, description = "Rows, JSONL.")
  private Path input;

  @Option(
      names = "--output",
      paramLabel = "FILE",
      required = true,
      description = {
        "Answers, JSONL. While the job runs they are in FILE.partial, and finished rows in"
            + " FILE.journal."
      })
  private Path output;

  @Option(
      names = "--errors",
      paramLabel = "FILE",
      description = {
        "Rows that were refused, with line number and reason; written only if there are any.",
        "Default: beside the output, out.jsonl gives out.errors.jsonl."
      })
  private Path errors;

  @Mixin private MachineOptions machine;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      defaultValue = "" + RowDefaults.MAX_TOKENS,
      description = {
        "Most tokens generated for rows that do not say.",
        "Default: ${DEFAULT-VALUE}."
      })
  private int maxTokens;

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
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description = {"Seed of rows that bring none.", "Default: ${DEFAULT-VALUE}."})
  private long seed;

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

  @Override
  public Integer call() throws IOException, InterruptedException, RefusedException {
    if (resume && overwrite) {
      throw new RefusedException(
          "--resume continues a job and --overwrite begins it again; give one of them");
    }
    StartMode mode = resume ? StartMode.RESUME : overwrite ? StartMode.OVERWRITE : StartMode.NEW;
    JobFiles files =
        new JobFiles(input, output, errors == null ? JobFiles.errorsBeside(output) : errors);
    files.check();
    RowDefaults defaults = defaults();
    machine.check();
    if (kvTokens != null && kvTokens < 1) {
      throw new RefusedException("--kv-tokens is " + kvTokens + ", must be at least 1");
    }
    Optional<JobLock> lock = JobLock.tryTake(files.lock());
    if (lock.isEmpty()) {
      throw new RefusedException(
          "another process is working on --output "
              + output
              + "; wait for it or name another file");
    }
    try (Closing closing = new Closing()) {
      closing.add(lock.get());
      return run(files, mode, defaults);
    }
  }

  private RowDefaults defaults() throws RefusedException {
    try {
      return new RowDefaults(maxTokens);
    } catch (IllegalArgumentException e) {
      throw new RefusedException("--max-tokens is " + maxTokens + ", must be at least 1", e);
    }
  }

  private int run(JobFiles files, StartMode mode, RowDefaults defaults)
      throws IOException, InterruptedException, RefusedException {
    mode.check(files);
    PrintWriter err = spec.commandLine().getErr();
    if (mode.isFinished(files)) {
      err.println(output + " is finished: it exists and has no journal; nothing to do");
      return Files.exists(files.errors()) ? ExitCode.ROWS_FAILED : ExitCode.OK;
    }
    if (!Files.isDirectory(model)) {
      throw new RefusedException(
          "--model " + model + " is no folder; name the folder that holds config.json");
    }
    JobDescription description = JobIdentity.describe(input, model, optionsThatMatter());
    try (Opening<JobState> opening =
        new Opening<>("offload-journal", () -> JobState.open(files, description, mode))) {
      if (mode == StartMode.RESUME) {
        opening.await();
      }
      OptionalInt rowTokens = kvTokens == null ? OptionalInt.empty() : OptionalInt.of(kvTokens);
      try (Generator generator = EngineGenerator.open(model, machine, seed, rowTokens);
          JobState state = opening.get();
          ResumeHint hint = new ResumeHint(err)) {
        hint.arm();
        Job job = new Job(files, state, defaults, JobIdentity.shortName(description));
        return report(err, run(job, generator, err));
      }
    }
  }

  private Map<String, String> optionsThatMatter() {
    Map<String, String> options = new LinkedHashMap<>();
    options.put("--dtype", machine.dtype.name());
    options.put("--max-tokens", Integer.toString(maxTokens));
    options.put("--seed", Long.toString(seed));
    return options;
  }

  private JobOutcome run(Job job, Generator generator, PrintWriter err)
      throws IOException, InterruptedException {
    ProgressLine line = new ProgressLine(Files.size(input));
    boolean terminal = Terminal.showsStandardError();
    try (Closing display = new Closing()) {
      return job.run(
          generator,
          counters -> display.add(new ProgressDisplay(err, terminal, line, counters)).start());
    }
  }

  private int report(PrintWriter err, JobOutcome outcome) {
    if (outcome.droppedBytes() > 0) {
      err.printf(
          Locale.ROOT,
          "the journal ended in %d half-written bytes; their rows were generated again%n",
          outcome.droppedBytes());
    }
    if (outcome.resumedRows() > 0) {
      err.printf(Locale.ROOT, "%d rows were finished before%n", outcome.resumedRows());
    }
    err.printf(
        Locale.ROOT, "%d rows answered in %s%n", outcome.rows() - outcome.failedRows(), output);
    if (outcome.failedRows() > 0) {
      Path errorFile = errors == null ? JobFiles.errorsBeside(output) : errors;
      err.printf(Locale.ROOT, "%d rows refused, reasons in %s%n", outcome.failedRows(), errorFile);
    }
    return outcome.exitCode();
  }
}
