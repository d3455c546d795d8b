package dev.offload.jobs;

import dev.offload.generation.ChoiceRequest;
import dev.offload.jobs.journal.JobDescription;
import dev.offload.jobs.labels.Confusion;
import dev.offload.jobs.report.LabelScores;
import dev.offload.jobs.rows.ChoiceEncoder;
import dev.offload.jobs.rows.Labels;
import dev.offload.jobs.rows.Normalisation;
import dev.offload.jobs.tables.FileFormat;
import dev.offload.jobs.tables.TableWriter;
import dev.offload.planner.Workload.Lengths;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** A job that chooses labels from a list. */
final class ChosenLabelSteps implements CommandJob.Steps {
  private final LabelJob job;
  private final Labels labels;
  private final Normalisation normalisation;
  private final Reporting reporting;
  private Optional<Confusion> confusion = Optional.empty();

  ChosenLabelSteps(LabelJob job, Labels labels, Normalisation normalisation) {
    this.job = job;
    this.labels = labels;
    this.normalisation = normalisation;
    this.reporting = job.reporting(settings());
  }

  /** How right the labels were, once the job is done, if gold labels are known. */
  Optional<Confusion> confusion() {
    return confusion;
  }

  @Override
  public JobDescription describe() throws IOException {
    Map<String, String> kind = new LinkedHashMap<>();
    kind.put("checksum of the labels", JobIdentity.checksum(String.join("\n", labels.names())));
    kind.put("--label-suffix", labels.suffix());
    kind.put("--normalise", normalisationName());
    return job.describe(kind);
  }

  private Map<String, String> settings() {
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("--label-suffix", labels.suffix().isEmpty() ? "none" : labels.suffix());
    settings.put("--normalise", normalisationName());
    return settings;
  }

  private String normalisationName() {
    return normalisation.name().toLowerCase(Locale.ROOT);
  }

  @Override
  public EngineGenerator openModel() throws RefusedException {
    return job.openModel(
        prompts -> {
          ChoiceEncoder encoder = new ChoiceEncoder(prompts, labels);
          return row -> lengths(encoder.encode(row));
        });
  }

  /** A pass tells the first tokens of all labels, and each label of several takes one more. */
  static Lengths lengths(ChoiceRequest request) {
    long longer = request.choices().stream().filter(choice -> choice.size() > 1).count();
    return new Lengths(request.prompt().size(), 1 + Math.toIntExact(longer), 1);
  }

  @Override
  public JobOutcome run(
      JobState state,
      EngineGenerator chooser,
      JobDescription description,
      Consumer<JobCounters> watcher)
      throws IOException, InterruptedException {
    Labeling labeling = new Labeling(job.rows(), labels, normalisation);
    LabelTask task = new LabelTask(job.files(), labeling, job.gold(), chooser, this::whole);
    return new Job<>(state, task, reporting.of(chooser)).run(watcher);
  }

  /** Counts the labels, and gives the output its form. */
  private Path whole(Path lines) throws IOException {
    boolean compares = job.goldField().isPresent();
    if (compares || reporting.isWanted()) {
      Confusion counted = Confusion.read(lines, labels.names());
      reporting.labels(LabelScores.of(counted));
      confusion = Optional.of(counted).filter(counts -> compares);
    }
    if (job.format() == FileFormat.JSONL) {
      return lines;
    }
    TableWriter.write(lines, job.files().whole(), job.format(), compares);
    return job.files().whole();
  }
}
