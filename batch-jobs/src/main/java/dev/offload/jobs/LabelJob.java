package dev.offload.jobs;

import dev.offload.jobs.journal.JobDescription;
import dev.offload.jobs.rows.GoldLabels;
import dev.offload.jobs.rows.LabelRow;
import dev.offload.jobs.rows.LabelRows;
import dev.offload.jobs.rows.PromptEncoder;
import dev.offload.jobs.rows.RowReader;
import dev.offload.jobs.tables.FileFormat;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * What is the same for labels that are chosen and labels that are written.
 *
 * @param rows how rows become prompts
 * @param format of the output
 * @param goldField holds the right labels, in the rows or in {@code goldFile}
 * @param gold right labels that do not stand in the rows
 * @param reports where to tell how the job went
 */
record LabelJob(
    Path model,
    JobFiles files,
    LabelRows rows,
    FileFormat format,
    MachineOptions machine,
    JobOptions options,
    Optional<String> goldField,
    Optional<Path> goldFile,
    Optional<GoldLabels> gold,
    List<ReportFile> reports) {

  /**
   * Which job this is.
   *
   * @param kind what labels may be
   */
  JobDescription describe(Map<String, String> kind) throws IOException {
    Map<String, String> matters = new LinkedHashMap<>();
    matters.put("--dtype", machine.dtype.name());
    matters.put("checksum of the template", JobIdentity.checksum(rows.template().toString()));
    matters.put("--chat", Boolean.toString(rows.chat()));
    matters.put("--gold-field", goldField.orElse("none"));
    matters.put(
        "checksum of --gold", goldFile.isEmpty() ? "none" : JobIdentity.checksum(goldFile.get()));
    matters.putAll(kind);
    return JobIdentity.describe(files.input(), model, matters);
  }

  /**
   * The reports of this job.
   *
   * @param kind what labels may be
   */
  Reporting reporting(Map<String, String> kind) {
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("model", model.toString());
    settings.put("input", files.input().toString());
    settings.put("output", files.output().toString());
    settings.put("template", rows.template().toString());
    settings.put("--chat", Boolean.toString(rows.chat()));
    settings.putAll(kind);
    goldField.ifPresent(
        field -> settings.put("gold labels", field + " of " + goldFile.orElse(files.input())));
    return new Reporting(reports, "label", settings);
  }

  /**
   * Opens the model, planned for these rows.
   *
   * @param measure how long each is, given what cuts prompts into tokens
   */
  EngineGenerator openModel(Function<PromptEncoder, JobLengths.Measure<LabelRow>> measure)
      throws RefusedException {
    return EngineGenerator.open(
        model,
        machine,
        0,
        options.kvTokens(),
        prompts ->
            JobLengths.sample(
                files.input(),
                RowFiles.open(files.input(), rows.fields()),
                (source, folder) ->
                    RowReader.forLabeling(source, rows, folder, _ -> false, _ -> {}),
                measure.apply(prompts)));
  }
}
