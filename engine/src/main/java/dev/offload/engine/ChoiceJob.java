package dev.offload.engine;

import dev.offload.engine.pass.Sequence;
import dev.offload.engine.prefix.PrefixWindow;
import dev.offload.generation.ChoiceRequest;
import dev.offload.generation.ChoiceSink;
import dev.offload.generation.ChoiceSource;
import dev.offload.generation.TokenIds;
import dev.offload.sampling.ChoiceScores;
import dev.offload.sampling.OutputRules;
import dev.offload.sampling.RowLogits;
import dev.offload.sampling.WantedLogits;
import java.util.Optional;

/**
 * Scores choices: a sequence per row, which goes through the tree of the choices' tokens branch by
 * branch. What branches have in common, the prompt above all, stays in the cache.
 */
final class ChoiceJob implements PassLoop.Job {
  private final OutputRules rules;
  private final PrefixWindow<ChoiceRequest> requests;
  private final ChoiceSink sink;
  private long rowsFinished;

  ChoiceJob(OutputRules rules, PrefixWindow.Limits limits, ChoiceSource source, ChoiceSink sink) {
    this.rules = rules;
    this.requests =
        new PrefixWindow<>(
            new PrefixWindow.Source<>(
                source::next, source::hasMoreNow, ChoiceRequest::prompt, _ -> 1),
            limits);
    this.sink = sink;
  }

  @Override
  public Optional<PassLoop.Purpose> next() {
    return requests.next().map(Row::new);
  }

  @Override
  public long rowsFinished() {
    return rowsFinished;
  }

  /** A row whose choices are being scored. */
  private final class Row implements PassLoop.Purpose {
    private final ChoiceRequest request;
    private final TokenIds prefix;
    private final ChoiceScores scores;

    Row(PrefixWindow.Item<ChoiceRequest> item) {
      this.request = item.row();
      this.prefix = item.prefix();
      this.scores = new ChoiceScores(rules, request);
    }

    @Override
    public long row() {
      return request.index();
    }

    @Override
    public TokenIds prompt() {
      return request.prompt();
    }

    @Override
    public TokenIds prefix() {
      return prefix;
    }

    @Override
    public int mostTokens() {
      int longest = request.choices().stream().mapToInt(TokenIds::size).max().orElseThrow();
      return request.prompt().size() + longest;
    }

    @Override
    public WantedLogits wantedLogits() {
      return WantedLogits.ALL;
    }

    @Override
    public boolean accept(Sequence sequence, RowLogits logits) {
      if (scores.accept(logits.all())) {
        rowsFinished++;
        sink.finished(scores.result());
        return true;
      }
      scores.branch().ifPresent(branch -> goOn(sequence, branch));
      return false;
    }

    private void goOn(Sequence sequence, ChoiceScores.Branch branch) {
      sequence.truncate(request.prompt().size() + branch.kept());
      branch.tokens().stream().forEach(sequence::append);
    }
  }
}
