package dev.offload.jobs;

import dev.offload.jobs.journal.JobDescription;
import dev.offload.jobs.labels.Confusion;
import dev.offload.jobs.labels.LabelSummary;
import dev.offload.jobs.rows.GoldLabels;
import dev.offload.jobs.rows.LabelRows;
import dev.offload.jobs.rows.Labels;
import dev.offload.jobs.rows.Normalisation;
import dev.offload.jobs.rows.RowException;
import dev.offload.jobs.rows.RowSource;
import dev.offload.jobs.rows.Template;
import dev.offload.jobs.tables.FileFormat;
import dev.offload.jobs.tables.TableWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
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
        "Gives every row of a JSONL, CSV or Parquet file the most probable of some labels, in input"
            + " order.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  offload label --model models/tiny --input reviews.csv --output labeled.csv \\",
      "      --labels positive,negative --template $'Review: {text}\\nSentiment: '",
      "  offload label … --chat --template 'Is this text formal? Answer yes or no.  {text}' \\",
      "      --labels yes,no",
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
      description = "Labels and probabilities: .jsonl, .csv or .parquet.")
  private Path output;

  @ArgGroup(multiplicity = "1")
  private LabelNames labelNames;

  /** Where the labels stand. */
  static final class LabelNames {
    @Option(
        names = "--labels",
        paramLabel = "A,B,…",
        description = "What to choose from. The first of equally probable labels is chosen.")
    private String inline;

    @Option(names = "--labels-file", paramLabel = "FILE", description = "The same, one per line.")
    private Path file;
  }

  @ArgGroup(multiplicity = "1")
  private TemplateText templateText;

  /** Where the template stands. */
  static final class TemplateText {
    @Option(
        names = "--template",
        paramLabel = "TEXT",
        description = {
          "What the label follows; {text} is the row's field text, {{ and }} are braces."
        })
    private String inline;

    @Option(
        names = "--template-file",
        paramLabel = "FILE",
        description = "The same in a file; a line feed at its end is left out.")
    private Path file;
  }

  @Option(
      names = "--chat",
      description =
          "The filled template is a user's message, the label the assistant's answer, written with"
              + " the model's chat template.")
  private boolean chat;

  @Option(
      names = "--label-suffix",
      paramLabel = "TEXT",
      defaultValue = "",
      description = {
        "Text that follows each label where its likelihood is asked for, such as the model's end"
            + " token.",
        "Default: none."
      })
  private String suffix;

  @Option(
      names = "--normalise",
      paramLabel = "HOW",
      defaultValue = "none",
      description = {
        "What a label's log-likelihood is divided by: none, or its tokens.",
        "Default: none."
      })
  private Normalisation normalisation;

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

  @Option(
      names = "--report",
      paramLabel = "FILE",
      description = "A page about the labels, HTML, written at the end.")
  private Path report;

  @Mixin private MachineOptions machine;

  @Mixin private JobOptions options;

  @Override
  public Integer call() throws IOException, InterruptedException, RefusedException {
    StartMode mode = options.mode();
    JobFiles files =
        new JobFiles(input, output, options.errors(JobFiles.errorsBeside(output, ".jsonl")));
    files.check();
    FileFormat format = RowFiles.format("--output", output);
    Labeling labeling = labeling();
    machine.check();
    options.check();
    Optional<ReportFile> page = Optional.empty();
    if (report != null) {
      page = Optional.of(new ReportFile(report));
      page.get().check(files, mode);
    }
    RowFiles.check("--input", input, labeling.rows().fields());
    Optional<GoldLabels> gold = gold();
    warnOfBeginnings(labeling.labels());
    LabelSteps steps = new LabelSteps(files, format, labeling, gold, page);
    int code = new CommandJob(spec.commandLine().getErr(), model, files, mode).run(steps);
    steps.confusion.ifPresent(this::print);
    return code;
  }

  private Labeling labeling() throws RefusedException, IOException {
    if (goldFile != null && goldField == null) {
      throw new RefusedException(
          "--gold " + goldFile + " needs --gold-field: the field that holds the right label");
    }
    Optional<String> ownGold = goldFile == null ? Optional.ofNullable(goldField) : Optional.empty();
    return new Labeling(new LabelRows(template(), chat, ownGold), labels(), normalisation);
  }

  private Template template() throws RefusedException, IOException {
    boolean inline = templateText.inline != null;
    String text = inline ? templateText.inline : read("--template-file", templateText.file);
    try {
      return Template.parse(inline || !text.endsWith("\n") ? text : withoutLineEnd(text));
    } catch (IllegalArgumentException e) {
      String option = inline ? "--template" : "--template-file " + templateText.file;
      throw new RefusedException(option + ": " + e.getMessage(), e);
    }
  }

  private static String withoutLineEnd(String text) {
    return text.substring(0, text.length() - (text.endsWith("\r\n") ? 2 : 1));
  }

  private Labels labels() throws RefusedException, IOException {
    boolean inline = labelNames.inline != null;
    List<String> names =
        inline
            ? List.of(labelNames.inline.split(",", -1))
            : read("--labels-file", labelNames.file).lines().toList();
    try {
      return new Labels(names.stream().map(String::strip).toList(), suffix);
    } catch (IllegalArgumentException e) {
      String option = inline ? "--labels" : "--labels-file " + labelNames.file;
      throw new RefusedException(option + ": " + e.getMessage(), e);
    }
  }

  private static String read(String option, Path file) throws RefusedException, IOException {
    if (!Files.isRegularFile(file)) {
      throw new RefusedException(option + " " + file + " is no file");
    }
    try {
      return Files.readString(file);
    } catch (CharacterCodingException e) {
      throw new RefusedException(option + " " + file + " is not valid UTF-8", e);
    }
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

  private void warnOfBeginnings(Labels labels) {
    if (normalisation == Normalisation.NONE) {
      labels
          .beginningOfAnother()
          .ifPresent(
              pair ->
                  spec.commandLine()
                      .getErr()
                      .printf(
                          "label '%s' begins '%s', and a beginning is at least as probable as what"
                              + " it begins; --label-suffix with the model's end token tells them"
                              + " apart%n",
                          pair.getFirst(), pair.getLast()));
    }
  }

  private void print(Confusion confusion) {
    PrintWriter out = spec.commandLine().getOut();
    LabelSummary.lines(confusion).forEach(out::println);
  }

  /** The steps of this command's job. */
  private final class LabelSteps implements CommandJob.Steps {
    private final JobFiles files;
    private final FileFormat format;
    private final Labeling labeling;
    private final Optional<GoldLabels> gold;
    private final Optional<ReportFile> page;
    private Optional<Confusion> confusion = Optional.empty();

    private LabelSteps(
        JobFiles files,
        FileFormat format,
        Labeling labeling,
        Optional<GoldLabels> gold,
        Optional<ReportFile> page) {
      this.files = files;
      this.format = format;
      this.labeling = labeling;
      this.gold = gold;
      this.page = page;
    }

    @Override
    public JobDescription describe() throws IOException {
      Map<String, String> matters = new LinkedHashMap<>();
      matters.put("--dtype", machine.dtype.name());
      matters.put(
          "checksum of the labels",
          JobIdentity.checksum(String.join("\n", labeling.labels().names())));
      matters.put(
          "checksum of the template", JobIdentity.checksum(labeling.rows().template().toString()));
      matters.put("--chat", Boolean.toString(chat));
      matters.put("--label-suffix", suffix);
      matters.put("--normalise", normalisation.name().toLowerCase(Locale.ROOT));
      matters.put("--gold-field", goldField == null ? "none" : goldField);
      matters.put("checksum of --gold", goldFile == null ? "none" : JobIdentity.checksum(goldFile));
      return JobIdentity.describe(input, model, matters);
    }

    @Override
    public EngineGenerator openModel() throws RefusedException {
      return EngineGenerator.open(model, machine, 0, options.kvTokens());
    }

    @Override
    public JobOutcome run(
        JobState state,
        EngineGenerator chooser,
        JobDescription description,
        Consumer<JobCounters> watcher)
        throws IOException, InterruptedException {
      LabelTask task = new LabelTask(files, labeling, gold, chooser, this::whole);
      return new Job<>(state, task).run(watcher);
    }

    /** Counts the labels, writes the page, and gives the output its form. */
    private Path whole(Path lines) throws IOException {
      if (goldField != null || page.isPresent()) {
        Confusion counted = Confusion.read(lines, labeling.labels().names());
        if (page.isPresent()) {
          page.get().write(facts(), counted);
        }
        confusion = Optional.of(counted).filter(counts -> goldField != null);
      }
      if (format == FileFormat.JSONL) {
        return lines;
      }
      TableWriter.write(lines, files.whole(), format, goldField != null);
      return files.whole();
    }

    private Map<String, String> facts() {
      Map<String, String> facts = new LinkedHashMap<>();
      facts.put("model", model.toString());
      facts.put("input", input.toString());
      facts.put("output", output.toString());
      facts.put("template", labeling.rows().template().toString());
      facts.put("chat", Boolean.toString(chat));
      facts.put("label suffix", suffix.isEmpty() ? "none" : suffix);
      facts.put("normalise", normalisation.name().toLowerCase(Locale.ROOT));
      facts.put("matrices computed in", machine.dtype.name());
      if (goldField != null) {
        facts.put("gold labels", goldField + " of " + (goldFile == null ? input : goldFile));
      }
      return facts;
    }
  }
}
