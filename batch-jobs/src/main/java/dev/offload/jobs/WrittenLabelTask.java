package dev.offload.jobs;

import dev.offload.generation.GenerationRequest;
import dev.offload.generation.GenerationResult;
import dev.offload.generation.SamplingParams;
import dev.offload.jobs.journal.OutputForm;
import dev.offload.jobs.rows.Answers;
import dev.offload.jobs.rows.BadRow;
import dev.offload.jobs.rows.GoldLabels;
import dev.offload.jobs.rows.LabelRow;
import dev.offload.jobs.rows.LabelRows;
import dev.offload.jobs.rows.Row;
import dev.offload.jobs.rows.RowEncoder;
import dev.offload.jobs.rows.RowException;
import dev.offload.jobs.rows.RowFormat;
import dev.offload.jobs.rows.RowReader;
import dev.offload.jobs.rows.WrittenLabelAnswers;
import java.io.IOException;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongPredicate;

/** Lets the model write a label for each row, greedily. */
final class WrittenLabelTask extends GeneratingTask<LabelRow> {
  private final JobFiles files;
  private final LabelRows rows;
  private final LabelText text;
  private final SamplingParams sampling;
  private final Optional<GoldLabels> gold;
  private final OutputForm form;
  private final RowEncoder encoder;
  private final WrittenLabelAnswers answers;
  private final Answers errors = new Answers("", 0);

  /**
   * @param maxTokens most tokens of a label
   * @param gold right labels that do not stand in the rows
   * @param form what the lines of the output become
   */
  WrittenLabelTask(
      JobFiles files,
      LabelRows rows,
      LabelText text,
      int maxTokens,
      Optional<GoldLabels> gold,
      Generator generator,
      OutputForm form) {
    super(generator);
    this.files = files;
    this.rows = rows;
    this.text = text;
    this.sampling = SamplingParams.greedy(maxTokens);
    this.gold = gold;
    this.form = form;
    this.encoder = new RowEncoder(generator.prompts());
    this.answers = new WrittenLabelAnswers(text.json());
  }

  @Override
  public RowReader<LabelRow> openRows(LongPredicate skipped, Consumer<BadRow> refused)
      throws IOException {
    return RowReader.forLabeling(
        RowFiles.open(files.input(), rows.fields()), rows, files.folder(), skipped, refused);
  }

  @Override
  public GenerationRequest request(LabelRow row) throws RowException {
    return encoder.encode(
        new Row(
            row.key(),
            RowFormat.SIMPLE,
            "",
            row.prompt(),
            sampling,
            Optional.of(text.constraint()),
            false));
  }

  @Override
  public byte[] line(LabelRow row, GenerationRequest request, GenerationResult answer) {
    return answers.answer(
        row,
        answer.choices().getFirst(),
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
