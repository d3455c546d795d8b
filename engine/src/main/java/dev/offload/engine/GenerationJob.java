package dev.offload.engine;

import dev.offload.engine.pass.Sequence;
import dev.offload.engine.prefix.PrefixWindow;
import dev.offload.generation.GenerationRequest;
import dev.offload.generation.GenerationResult;
import dev.offload.generation.GenerationResult.Choice;
import dev.offload.generation.RequestSource;
import dev.offload.generation.ResultSink;
import dev.offload.generation.TokenIds;
import dev.offload.sampling.OutputRules;
import dev.offload.sampling.RowLogits;
import dev.offload.sampling.SequenceOutput;
import dev.offload.sampling.WantedLogits;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/** Generates: a sequence per output, each of whose tokens is sampled from the last one's logits. */
final class GenerationJob implements PassLoop.Job {
  private final OutputRules rules;
  private final PrefixWindow<GenerationRequest> requests;
  private final ResultSink sink;
  private final Optional<LogitsObserver> observer;
  private final Deque<PassLoop.Purpose> waiting = new ArrayDeque<>();
  private long rowsFinished;

  GenerationJob(
      OutputRules rules,
      PrefixWindow.Limits limits,
      RequestSource source,
      ResultSink sink,
      Optional<LogitsObserver> observer) {
    this.rules = rules;
    this.requests =
        new PrefixWindow<>(
            new PrefixWindow.Source<>(
                source::next,
                source::hasMoreNow,
                GenerationRequest::prompt,
                request -> request.sampling().choices()),
            limits);
    this.sink = sink;
    this.observer = observer;
  }

  @Override
  public Optional<PassLoop.Purpose> next() {
    if (waiting.isEmpty()) {
      requests.next().ifPresent(this::take);
    }
    return Optional.ofNullable(waiting.poll());
  }

  private void take(PrefixWindow.Item<GenerationRequest> item) {
    GenerationRequest request = item.row();
    Row row = new Row(request, item.prefix());
    for (int i = 0; i < request.sampling().choices(); i++) {
      waiting.addLast(new Output(row, i, new SequenceOutput(rules, request, i)));
    }
  }

  @Override
  public long rowsFinished() {
    return rowsFinished;
  }

  /** One of the outputs of a row. */
  private final class Output implements PassLoop.Purpose {
    private final Row row;
    private final int number;
    private final SequenceOutput tokens;

    Output(Row row, int number, SequenceOutput tokens) {
      this.row = row;
      this.number = number;
      this.tokens = tokens;
    }

    @Override
    public long row() {
      return row.request.index();
    }

    @Override
    public TokenIds prompt() {
      return row.request.prompt();
    }

    @Override
    public TokenIds prefix() {
      return row.prefix;
    }

    @Override
    public int mostTokens() {
      long wanted = (long) prompt().size() + row.request.sampling().maxTokens();
      return (int) Math.min(rules.contextLength(), wanted);
    }

    /** An observer looks at whole rows. */
    @Override
    public WantedLogits wantedLogits() {
      return observer.isPresent() ? WantedLogits.ALL : tokens.wanted();
    }

    @Override
    public boolean accept(Sequence sequence, RowLogits logits) {
      observer.ifPresent(o -> o.logits(row.request, tokens.size(), logits.all()));
      boolean finished = tokens.accept(logits);
      sequence.append(tokens.lastToken());
      if (finished) {
        row.finish(number, tokens.choice());
      }
      return finished;
    }
  }

  /** A row whose outputs are in the making. */
  private final class Row {
    private final GenerationRequest request;
    private final TokenIds prefix;
    private final Choice[] choices;
    private int missing;

    Row(GenerationRequest request, TokenIds prefix) {
      this.request = request;
      this.prefix = prefix;
      this.choices = new Choice[request.sampling().choices()];
      this.missing = choices.length;
    }

    /** Takes one output; hands out the row if it was the last. */
    void finish(int number, Choice output) {
      choices[number] = output;
      missing--;
      if (missing == 0) {
        rowsFinished++;
        sink.finished(new GenerationResult(request.index(), request.prompt(), List.of(choices)));
      }
    }
  }
}
