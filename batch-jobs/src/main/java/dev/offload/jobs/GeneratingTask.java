package dev.offload.jobs;

import dev.offload.engine.Progress;
import dev.offload.generation.GenerationRequest;
import dev.offload.generation.GenerationResult;
import dev.offload.jobs.report.RunRecorder;
import dev.offload.jobs.rows.Incoming;
import java.util.function.Consumer;

/**
 * A task for which the model writes.
 *
 * @param <R> a checked row
 */
abstract class GeneratingTask<R extends Incoming>
    implements RowTask<R, GenerationRequest, GenerationResult> {
  private final Generator generator;

  GeneratingTask(Generator generator) {
    this.generator = generator;
  }

  @Override
  public final int promptTokens(GenerationRequest request) {
    return request.prompt().size();
  }

  @Override
  public final void run(
      Requests<GenerationRequest> source,
      Consumer<GenerationResult> sink,
      Progress.Listener listener) {
    generator.run(new GenerationRequests(source), sink::accept, listener);
  }

  @Override
  public final long row(GenerationResult answer) {
    return answer.index();
  }

  @Override
  public final void record(GenerationResult answer, RunRecorder recorder) {
    recorder.answered(answer.prompt().size());
    answer.choices().forEach(choice -> recorder.output(choice.tokens().size()));
  }
}
