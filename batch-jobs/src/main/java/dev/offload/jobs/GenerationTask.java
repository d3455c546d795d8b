package dev.offload.jobs;

import dev.offload.engine.Progress;
import dev.offload.generation.GenerationRequest;
import dev.offload.generation.GenerationResult;
import dev.offload.jobs.journal.OutputForm;
import dev.offload.jobs.report.RunRecorder;
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
final class GenerationTask implements RowTask<Row, GenerationRequest, GenerationResult> {
  private final JobFiles files;
  private final RowDefaults defaults;
  private final Answers answers;
  private final Generator generator;
  private final RowEncoder encoder;

  GenerationTask(JobFiles files, RowDefaults defaults, Answers answers, Generator generator) {
    this.files = files;
    this.defaults = defaults;
    this.answers = answers;
    this.generator = generator;
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
  public int promptTokens(GenerationRequest request) {
    return request.prompt().size();
  }

  @Override
  public void run(
      Requests<GenerationRequest> source,
      Consumer<GenerationResult> sink,
      Progress.Listener listener) {
    generator.run(new GenerationRequests(source), sink::accept, listener);
  }

  @Override
  public long row(GenerationResult answer) {
    return answer.index();
  }

  @Override
  public void record(GenerationResult answer, RunRecorder recorder) {
    recorder.answered(answer.prompt().size());
    answer.choices().forEach(choice -> recorder.output(choice.tokens().size()));
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
