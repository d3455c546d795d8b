package dev.offload.jobs;

import dev.offload.engine.Progress;
import dev.offload.generation.ChoiceRequest;
import dev.offload.generation.ChoiceResult;
import dev.offload.generation.ChoiceSink;
import dev.offload.generation.ChoiceSource;
import dev.offload.generation.TokenIds;
import dev.offload.jobs.journal.OutputForm;
import dev.offload.jobs.rows.LabelRows;
import dev.offload.jobs.rows.Labels;
import dev.offload.jobs.rows.Normalisation;
import dev.offload.jobs.rows.PromptEncoder;
import dev.offload.jobs.rows.Template;
import dev.offload.jobs.tables.FileFormat;
import dev.offload.jobs.tables.TableWriter;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.LongConsumer;

/**
 * Scores labels by the bytes of prompt and label, some rows at a time and out of order. The
 * vocabulary is bytes.
 */
final class FakeChooser implements Chooser {
  static final Labeling LABELING =
      new Labeling(
          new LabelRows(Template.parse("{prompt}"), false, Optional.empty()),
          new Labels(List.of("yes", "no", "may, \"be\""), ""),
          Normalisation.NONE);

  private final Random random;
  private final LongConsumer beforeFinish;

  /**
   * @param seed of the order in which rows finish
   * @param beforeFinish sees each row's number before it is handed to the sink
   */
  FakeChooser(long seed, LongConsumer beforeFinish) {
    this.random = new Random(seed);
    this.beforeFinish = beforeFinish;
  }

  /** A job with this chooser, whose output is written as its name says. */
  static LabelTask task(JobFiles files, long seed, LongConsumer beforeFinish) {
    FileFormat format = FileFormat.of(files.output()).orElseThrow();
    OutputForm form =
        lines -> {
          if (format == FileFormat.JSONL) {
            return lines;
          }
          TableWriter.write(lines, files.whole(), format, false);
          return files.whole();
        };
    return new LabelTask(
        files, LABELING, Optional.empty(), new FakeChooser(seed, beforeFinish), form);
  }

  @Override
  public PromptEncoder prompts() {
    return new FakeGenerator.ByteEncoder();
  }

  @Override
  public void choose(ChoiceSource source, ChoiceSink sink, Progress.Listener listener) {
    FakeGenerator.finishOutOfOrder(
        random,
        source::next,
        request -> {
          beforeFinish.accept(request.index());
          sink.finished(answer(request));
        });
  }

  private static ChoiceResult answer(ChoiceRequest request) {
    int sum = request.prompt().stream().sum();
    List<TokenIds> choices = request.choices();
    List<Double> scores =
        choices.stream().map(c -> -1.0 * Math.floorMod(sum + c.get(0), choices.size())).toList();
    return new ChoiceResult(request.index(), scores, request.prompt().size());
  }

  @Override
  public void close() {}
}
