package dev.offload.jobs;

import dev.offload.jobs.journal.JobDescription;
import dev.offload.jobs.labels.WrittenLabels;
import dev.offload.jobs.report.LabelScores;
import dev.offload.jobs.tables.FileFormat;
import dev.offload.jobs.tables.TableWriter;
import dev.offload.planner.Workload.Lengths;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** A job whose labels the model writes. */
final class WrittenLabelSteps implements CommandJob.Steps {
  private final LabelJob job;
  private final LabelText text;
  private final int maxTokens;
  private final Reporting reporting;
  private Optional<WrittenLabels> summary = Optional.empty();

  WrittenLabelSteps(LabelJob job, LabelText text, int maxTokens) {
    this.job = job;
    this.text = text;
    this.maxTokens = maxTokens;
    this.reporting =
        job.reporting(
            Map.of(
                text.json() ? "--json-schema" : "--regex",
                text.source(),
                "--max-tokens",
                Integer.toString(maxTokens)));
  }

  /** What the labels came to, once the job is done. */
  Optional<WrittenLabels> summary() {
    return summary;
  }

  @Override
  public JobDescription describe() throws IOException {
    Map<String, String> kind = new LinkedHashMap<>();
    kind.put(
        text.json() ? "checksum of --json-schema" : "checksum of --regex",
        JobIdentity.checksum(text.source()));
    kind.put("--max-tokens", Integer.toString(maxTokens));
    return job.describe(kind);
  }

  @Override
  public EngineGenerator openModel() throws RefusedException {
    return job.openModel(
        prompts ->
            row ->
                new Lengths(
                    Math.max(1, JobLengths.promptTokens(row.prompt(), Optional.of(prompts))),
                    maxTokens,
                    1));
  }

  @Override
  public JobOutcome run(
      JobState state,
      EngineGenerator generator,
      JobDescription description,
      Consumer<JobCounters> watcher)
      throws IOException, InterruptedException {
    WrittenLabelTask task =
        new WrittenLabelTask(
            job.files(), job.rows(), text, maxTokens, job.gold(), generator, this::whole);
    return new Job<>(state, task, reporting.of(generator)).run(watcher);
  }

  /** Counts the labels, and gives the output its form. */
  private Path whole(Path lines) throws IOException {
    WrittenLabels counted = WrittenLabels.read(lines);
    summary = Optional.of(counted);
    reporting.labels(LabelScores.of(counted));
    if (job.format() == FileFormat.JSONL) {
      return lines;
    }
    TableWriter.writeTexts(
        lines, job.files().whole(), job.format(), text.json(), job.goldField().isPresent());
    return job.files().whole();
  }
}
