package dev.offload.jobs;

import dev.offload.jobs.labels.LabelSummary;
import dev.offload.jobs.labels.WrittenLabels;
import dev.offload.jobs.rows.GoldLabels;
import dev.offload.jobs.rows.LabelRows;
import dev.offload.jobs.rows.Labels;
import dev.offload.jobs.rows.Normalisation;
import dev.offload.jobs.rows.RowDefaults;
import dev.offload.jobs.rows.RowException;
import dev.offload.jobs.rows.RowSource;
import dev.offload.jobs.tables.FileFormat;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code offload label}: chooses a label for each row of a file. */
@Command(
    name = "label",
    description =
        "Gives every row of a JSONL, CSV or Parquet file the most probable of some labels, or one"
            + " that the model writes, in input order.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  offload label --model models/tiny --input reviews.csv --output labeled.csv \\",
      "      --labels positive,negative --template $'Review: {text}\\nSentiment: '",
      "  offload label … --chat --template 'Is this text formal? Answer yes or no.  {text}' \\",
      "      --labels yes,no",
      "  offload label … --regex '[0-9]{1,3} (kg|lb)' --max-tokens 16",
      "  offload label … --chat --json-schema invoice.schema.json",
      "      labels that match, whatever the model would like to write",
      "  offload label … --gold-field topic --report report.html",
      "      says how many labels are those of the rows' field topic"
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:all rows were labeled",
      "1:the program failed; run again with --resume",
      "2:wrong usage or refused input; nothing was labeled",
      "3:the job is done and some rows are in the error file",
      "4:Ctrl-C or SIGTERM stopped the job; run again with --resume"
    })
final class LabelCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--model",
      paramLabel = "DIR",
      required = true,
      description = "Folder with config.json, tokenizer.json and *.safetensors.")
  private Path model;

  @Option(
      names = "--input",
      paramLabel = "FILE",
      required = true,
      description = "Rows: .jsonl, .csv or .parquet.")
  private Path input;

  @Option(
      names = "--output",
      paramLabel = "FILE",
      required = true,
      description = "Labels: .jsonl, .csv or .parquet.")
  private Path output;

  @ArgGroup(multiplicity = "1")
  private LabelKinds kinds;

  @ArgGroup(multiplicity = "1")
  private TemplateText template;

  @Option(
      names = "--chat",
      description =
          "The filled template is a user's message, the label the assistant's answer, written with"
              + " the model's chat template.")
  private boolean chat;

  @Option(
      names = "--label-suffix",
      paramLabel = "TEXT",
      description = {
        "Text that follows each label where its likelihood is asked for, such as the model's end"
            + " token; with --labels.",
        "Default: none."
      })
  private String suffix;

  @Option(
      names = "--normalise",
      paramLabel = "HOW",
      description = {
        "What a label's log-likelihood is divided by: none, or its tokens; with --labels.",
        "Default: none."
      })
  private Normalisation normalisation;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      description = {
        "Most tokens of a label; with --regex and --json-schema.",
        "Default: " + RowDefaults.MAX_TOKENS + "."
      })
  private Integer maxTokens;

  @Option(
      names = "--gold-field",
      paramLabel = "NAME",
      description = "Field that holds the right label, to compare with.")
  private String goldField;

  @Option(
      names = "--gold",
      paramLabel = "FILE",
      description = "File with the fields id and that of --gold-field, if rows do not have it.")
  private Path goldFile;

  @Mixin private MachineOptions machine;

  @Mixin private JobOptions options;

  @Override
  public Integer call() throws IOException, InterruptedException, RefusedException {
    StartMode mode = options.mode();
    JobFiles files =
        new JobFiles(input, output, options.errors(JobFiles.errorsBeside(output, ".jsonl")));
    files.check();
    FileFormat format = RowFiles.format("--output", output);
    LabelRows rows = rows();
    machine.check();
    machine.checkFiles(files);
    options.check();
    return kinds.areWritten()
        ? write(mode, files, format, rows)
        : choose(mode, files, format, rows);
  }

  private LabelRows rows() throws RefusedException, IOException {
    if (goldFile != null && goldField == null) {
      throw new RefusedException(
          "--gold " + goldFile + " needs --gold-field: the field that holds the right label");
    }
    Optional<String> ownGold = goldFile == null ? Optional.ofNullable(goldField) : Optional.empty();
    return new LabelRows(template.parse(), chat, ownGold);
  }

  private int choose(StartMode mode, JobFiles files, FileFormat format, LabelRows rows)
      throws IOException, InterruptedException, RefusedException {
    refuse(
        "--max-tokens", maxTokens, "is for labels that are written, by --regex or --json-schema");
    Labels labels = kinds.labels(suffix == null ? "" : suffix);
    Normalisation how = normalisation == null ? Normalisation.NONE : normalisation;
    LabelJob job = job(mode, files, format, rows);
    if (how == Normalisation.NONE) {
      labels.beginningOfAnother().ifPresent(this::warnOfBeginning);
    }
    ChosenLabelSteps steps = new ChosenLabelSteps(job, labels, how);
    int code = run(mode, files, steps);
    steps.confusion().ifPresent(counts -> LabelSummary.lines(counts).forEach(out()::println));
    return code;
  }

  private int write(StartMode mode, JobFiles files, FileFormat format, LabelRows rows)
      throws IOException, InterruptedException, RefusedException {
    String why = "is for labels that are chosen, with --labels";
    refuse("--label-suffix", suffix, why);
    refuse("--normalise", normalisation, why);
    int most = maxTokens == null ? RowDefaults.MAX_TOKENS : maxTokens;
    if (most < 1) {
      throw new RefusedException("--max-tokens is " + most + ", must be at least 1");
    }
    LabelText text = kinds.text();
    if (text.json()) {
      refuse("--gold-field", goldField, "is for labels that are texts, not --json-schema");
    }
    LabelJob job = job(mode, files, format, rows);
    WrittenLabelSteps steps = new WrittenLabelSteps(job, text, most);
    int code = run(mode, files, steps);
    steps.summary().ifPresent(summary -> print(summary, most));
    return code;
  }

  private static void refuse(String option, Object given, String why) throws RefusedException {
    if (given != null) {
      throw new RefusedException("%s %s %s".formatted(option, given, why));
    }
  }

  private int run(StartMode mode, JobFiles files, CommandJob.Steps steps)
      throws IOException, InterruptedException, RefusedException {
    return new CommandJob(spec.commandLine().getErr(), model, files, mode).run(steps);
  }

  /** Checks the files of rows and reads the gold labels. */
  private LabelJob job(StartMode mode, JobFiles files, FileFormat format, LabelRows rows)
      throws IOException, RefusedException {
    List<ReportFile> reports = options.reports(files, mode);
    RowFiles.check("--input", input, rows.fields());
    return new LabelJob(
        model,
        files,
        rows,
        format,
        machine,
        options,
        Optional.ofNullable(goldField),
        Optional.ofNullable(goldFile),
        gold(),
        reports);
  }

  private Optional<GoldLabels> gold() throws RefusedException, IOException {
    if (goldFile == null) {
      return Optional.empty();
    }
    Set<String> columns = new LinkedHashSet<>(List.of("id", goldField));
    RowFiles.check("--gold", goldFile, columns);
    try (RowSource rows = RowFiles.open(goldFile, columns)) {
      return Optional.of(GoldLabels.read(rows, goldField));
    } catch (RowException e) {
      throw new RefusedException("--gold " + goldFile + ", " + e.getMessage(), e);
    }
  }

  private void warnOfBeginning(List<String> pair) {
    spec.commandLine()
        .getErr()
        .printf(
            "label '%s' begins '%s', and a beginning is at least as probable as what it begins;"
                + " --label-suffix with the model's end token tells them apart%n",
            pair.getFirst(), pair.getLast());
  }

  private void print(WrittenLabels summary, int most) {
    if (summary.incomplete() > 0) {
      spec.commandLine()
          .getErr()
          .printf(
              "%d labels were cut off by --max-tokens %d or the end of the context: label is null"
                  + " there, and what was written is in incomplete%n",
              summary.incomplete(), most);
    }
    if (goldField != null) {
      out().println(summary.accuracyLine());
    }
  }

  private PrintWriter out() {
    return spec.commandLine().getOut();
  }
}
