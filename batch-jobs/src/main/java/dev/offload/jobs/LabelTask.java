package dev.offload.jobs;

import dev.offload.engine.Progress;
import dev.offload.generation.ChoiceRequest;
import dev.offload.generation.ChoiceResult;
import dev.offload.generation.ChoiceSource;
import dev.offload.jobs.journal.OutputForm;
import dev.offload.jobs.report.RunRecorder;
import dev.offload.jobs.rows.Answers;
import dev.offload.jobs.rows.BadRow;
import dev.offload.jobs.rows.ChoiceEncoder;
import dev.offload.jobs.rows.GoldLabels;
import dev.offload.jobs.rows.LabelAnswers;
import dev.offload.jobs.rows.LabelChoice;
import dev.offload.jobs.rows.LabelRow;
import dev.offload.jobs.rows.RowException;
import dev.offload.jobs.rows.RowReader;
import java.io.IOException;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongPredicate;

/** Chooses a label for each row. */
final class LabelTask implements RowTask<LabelRow, ChoiceRequest, ChoiceResult> {
  private final JobFiles files;
  private final Labeling labeling;
  private final Optional<GoldLabels> gold;
  private final Chooser chooser;
  private final OutputForm form;
  private final ChoiceEncoder encoder;
  private final LabelAnswers answers;
  private final Answers errors = new Answers("", 0);

  /**
   * @param gold right labels that do not stand in the rows
   * @param form what the lines of the output become
   */
  LabelTask(
      JobFiles files,
      Labeling labeling,
      Optional<GoldLabels> gold,
      Chooser chooser,
      OutputForm form) {
    this.files = files;
    this.labeling = labeling;
    this.gold = gold;
    this.chooser = chooser;
    this.form = form;
    this.encoder = new ChoiceEncoder(chooser.prompts(), labeling.labels());
    this.answers = new LabelAnswers(labeling.labels());
  }

  @Override
  public RowReader<LabelRow> openRows(LongPredicate skipped, Consumer<BadRow> refused)
      throws IOException {
    return RowReader.forLabeling(
        RowFiles.open(files.input(), labeling.rows().fields()),
        labeling.rows(),
        files.folder(),
        skipped,
        refused);
  }

  @Override
  public ChoiceRequest request(LabelRow row) throws RowException {
    return encoder.encode(row);
  }

  @Override
  public int promptTokens(ChoiceRequest request) {
    return request.prompt().size();
  }

  @Override
  public void run(
      Requests<ChoiceRequest> source, Consumer<ChoiceResult> sink, Progress.Listener listener) {
    chooser.choose(
        new ChoiceSource() {
          @Override
          public Optional<ChoiceRequest> next() {
            return source.next();
          }

          @Override
          public boolean hasMoreNow() {
            return source.hasMoreNow();
          }
        },
        sink::accept,
        listener);
  }

  @Override
  public long row(ChoiceResult answer) {
    return answer.index();
  }

  @Override
  public void record(ChoiceResult answer, RunRecorder recorder) {
    recorder.answered(answer.promptTokens());
  }

  @Override
  public byte[] line(LabelRow row, ChoiceRequest request, ChoiceResult answer) {
    return answers.answer(
        row,
        LabelChoice.of(request, answer, labeling.normalisation()),
        gold.isPresent() ? gold.get().of(row.key().id()) : row.gold());
  }

  @Override
  public byte[] line(BadRow bad) {
    return errors.error(bad);
  }

  @Override
  public OutputForm form() {
    return form;
  }
}
