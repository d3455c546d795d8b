package dev.offload.jobs;

import dev.offload.jobs.journal.JobDescription;
import dev.offload.jobs.rows.Answers;
import dev.offload.jobs.rows.JsonLines;
import dev.offload.jobs.rows.RowDefaults;
import dev.offload.jobs.rows.RowReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
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
      "  offload generate … --report report.html",
      "      a page about how fast the job was and what bounded it",
      "  offload generate … --device-memory 8GiB --host-memory 32GiB",
      "      a model larger than 8 GiB streams the rest from RAM, and from disk beyond that"
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:all rows were answered",
      "1:the program failed; run again with --resume",
      "2:wrong usage or refused input; nothing was generated",
      "3:the job is done and some rows are in the error file",
      "4:Ctrl-C or SIGTERM stopped the job; run again with --resume"
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
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description = {"Seed of rows that bring none.", "Default: ${DEFAULT-VALUE}."})
  private long seed;

  @Mixin private JobOptions options;

  @Override
  public Integer call() throws IOException, InterruptedException, RefusedException {
    StartMode mode = options.mode();
    JobFiles files = new JobFiles(input, output, options.errors(JobFiles.errorsBeside(output)));
    files.check();
    RowDefaults defaults = defaults();
    machine.check();
    machine.checkFiles(files);
    options.check();
    Reporting reporting = new Reporting(options.reports(files, mode), "generate", settings(files));
    return new CommandJob(spec.commandLine().getErr(), model, files, mode)
        .run(new Generation(files, defaults, reporting));
  }

  private RowDefaults defaults() throws RefusedException {
    try {
      return new RowDefaults(maxTokens);
    } catch (IllegalArgumentException e) {
      throw new RefusedException("--max-tokens is " + maxTokens + ", must be at least 1", e);
    }
  }

  private Map<String, String> settings(JobFiles files) {
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("model", model.toString());
    settings.put("input", input.toString());
    settings.put("output", output.toString());
    settings.put("errors", files.errors().toString());
    settings.put("--max-tokens", Integer.toString(maxTokens));
    settings.put("--seed", Long.toString(seed));
    return settings;
  }

  /** The steps of this command's job. */
  private final class Generation implements CommandJob.Steps {
    private final JobFiles files;
    private final RowDefaults defaults;
    private final Reporting reporting;

    private Generation(JobFiles files, RowDefaults defaults, Reporting reporting) {
      this.files = files;
      this.defaults = defaults;
      this.reporting = reporting;
    }

    @Override
    public JobDescription describe() throws IOException {
      Map<String, String> matters = new LinkedHashMap<>();
      matters.put("--dtype", machine.dtype.name());
      matters.put("--max-tokens", Integer.toString(maxTokens));
      matters.put("--seed", Long.toString(seed));
      return JobIdentity.describe(input, model, matters);
    }

    @Override
    public EngineGenerator openModel() throws RefusedException {
      return EngineGenerator.open(
          model,
          machine,
          seed,
          options.kvTokens(),
          prompts ->
              JobLengths.sample(
                  input,
                  JsonLines.open(input),
                  (rows, folder) ->
                      RowReader.forGeneration(rows, defaults, folder, _ -> false, _ -> {}),
                  JobLengths.generated(prompts)));
    }

    @Override
    public JobOutcome run(
        JobState state,
        EngineGenerator generator,
        JobDescription description,
        Consumer<JobCounters> watcher)
        throws IOException, InterruptedException {
      Answers answers =
          new Answers(JobIdentity.shortName(description), state.journal().createdSeconds());
      GenerationTask task = new GenerationTask(files, defaults, answers, generator);
      return new Job<>(state, task, reporting.of(generator)).run(watcher);
    }
  }
}
