package dev.offload.jobs;

import dev.offload.generation.GenerationRequest;
import dev.offload.generation.GenerationResult;
import dev.offload.jobs.journal.OutputForm;
import dev.offload.jobs.rows.Answers;
import dev.offload.jobs.rows.BadRow;
import dev.offload.jobs.rows.JsonLines;
import dev.offload.jobs.rows.Row;
import dev.offload.jobs.rows.RowDefaults;
import dev.offload.jobs.rows.RowEncoder;
import dev.offload.jobs.rows.RowException;
import dev.offload.jobs.rows.RowReader;
import java.io.IOException;
import java.util.function.Consumer;
import java.util.function.LongPredicate;

/** Continues the prompt of each row. */
final class GenerationTask extends GeneratingTask<Row> {
  private final JobFiles files;
  private final RowDefaults defaults;
  private final Answers answers;
  private final RowEncoder encoder;

  GenerationTask(JobFiles files, RowDefaults defaults, Answers answers, Generator generator) {
    super(generator);
    this.files = files;
    this.defaults = defaults;
    this.answers = answers;
    this.encoder = new RowEncoder(generator.prompts());
  }

  @Override
  public RowReader<Row> openRows(LongPredicate skipped, Consumer<BadRow> refused)
      throws IOException {
    return RowReader.forGeneration(
        JsonLines.open(files.input()), defaults, files.folder(), skipped, refused);
  }

  @Override
  public GenerationRequest request(Row row) throws RowException {
    return encoder.encode(row);
  }

  @Override
  public byte[] line(Row row, GenerationRequest request, GenerationResult answer) {
    return answers.answer(row, answer);
  }

  @Override
  public byte[] line(BadRow bad) {
    return answers.error(bad);
  }

  @Override
  public OutputForm form() {
    return OutputForm.LINES;
  }
}
