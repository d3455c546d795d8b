package dev.offload.sampling;

import dev.offload.generation.GenerationRequest;
import dev.offload.generation.GenerationResult.Choice;
import dev.offload.generation.GenerationResult.FinishReason;
import dev.offload.generation.GenerationResult.TokenLogprob;
import dev.offload.generation.SamplingParams;
import dev.offload.generation.TokenIds;
import dev.offload.text.IncrementalDecoder;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * One output in the making: chooses its tokens, writes its text and knows when it is finished. Not
 * thread-safe; different outputs share nothing that changes and may be advanced in parallel.
 *
 * <pre>{@code
 * var output = new SequenceOutput(rules, request, 0);
 * do {
 *   RowLogits logits = …; // of the last position, output.wanted() of them
 * } while (!output.accept(logits));
 * Choice choice = output.choice();
 * }</pre>
 */
public final class SequenceOutput {
  private final GenerationRequest request;
  private final int choiceIndex;
  private final SamplingParams sampling;
  private final int vocabularySize;
  private final int mostTokens;
  private final TokenIds endTokens;
  private final Sampler sampler;
  private final Optional<LogitAdjustments> adjustments;
  private final Optional<LogprobReader> logprobReader;
  private final Optional<IncrementalDecoder> decoder;
  private final Optional<ConstrainedTokens> constrained;
  private final List<TokenLogprob> logprobs = new ArrayList<>();

  private int[] tokens = new int[16];
  private int size;
  private FinishReason finishReason;

  /**
   * @param choiceIndex number of the output, from 0, below {@code request.sampling().choices()}
   * @throws IllegalArgumentException if a token id of prompt or parameters is outside the
   *     vocabulary, the prompt leaves no room in the context, stop texts or a constraint are asked
   *     for without a tokenizer, or the tokenizer has no tokens for what the constraint allows
   */
  public SequenceOutput(OutputRules rules, GenerationRequest request, int choiceIndex) {
    this.request = request;
    this.choiceIndex = choiceIndex;
    sampling = request.sampling();
    vocabularySize = rules.vocabularySize();
    RequestChecks.check(rules, request);
    mostTokens = Math.min(sampling.maxTokens(), rules.contextLength() - request.prompt().size());
    endTokens = endTokens(rules, sampling);
    long seed =
        sampling.seed().orElseGet(() -> CounterRandom.rowSeed(rules.seed(), request.index()));
    sampler = new Sampler(sampling, CounterRandom.of(seed, choiceIndex));
    adjustments = LogitAdjustments.of(sampling, request.prompt(), endTokens);
    logprobReader =
        sampling.logprobs() < 0
            ? Optional.empty()
            : Optional.of(new LogprobReader(rules.tokenizer(), sampling.logprobs()));
    decoder = rules.tokenizer().map(t -> new IncrementalDecoder(t, sampling.stop()));
    constrained =
        request
            .constraint()
            .map(text -> new ConstrainedTokens(rules.constraints(), text, endTokens));
  }

  /** How much of each row of logits it needs: the same for all its tokens. */
  public WantedLogits wanted() {
    int decisive = sampler.decisive(vocabularySize);
    if (decisive == 0 || adjustments.isPresent() || constrained.isPresent()) {
      return WantedLogits.ALL;
    }
    int best = Math.max(decisive, logprobReader.map(LogprobReader::top).orElse(0));
    return WantedLogits.best(best, logprobReader.isPresent(), vocabularySize);
  }

  private static TokenIds endTokens(OutputRules rules, SamplingParams sampling) {
    List<Integer> ids = new ArrayList<>(sampling.stopTokens());
    if (!sampling.ignoreEos()) {
      rules.endTokens().stream().filter(id -> id < rules.vocabularySize()).forEach(ids::add);
    }
    return TokenIds.of(ids);
  }

  /**
   * Chooses the next token.
   *
   * @param logits the model's logits behind the last token, what is {@link #wanted} of them or all;
   *     a whole row is written to meanwhile, and as it was afterwards
   * @return whether the output is finished
   * @throws LogitsException if the logits hold NaN or infinity; the message names the row
   * @throws IllegalStateException if the output is finished already
   */
  public boolean accept(RowLogits logits) {
    if (finished()) {
      throw new IllegalStateException("this output is finished");
    }
    int token = choose(logits);
    append(token);
    finishReason = reasonToFinish(token);
    return finished();
  }

  /**
   * As above, from a whole row.
   *
   * @param logits float32 {@code [vocabulary]}
   */
  public boolean accept(MemorySegment logits) {
    return accept(new RowLogits.All(logits));
  }

  private int choose(RowLogits logits) {
    try {
      return switch (logits) {
        case RowLogits.All(MemorySegment values) -> choose(new LogitsRow(values, vocabularySize));
        case BestLogits best -> choose(best);
      };
    } catch (LogitsException e) {
      throw new LogitsException(
          "row %d, output %d, token %d: %s"
              .formatted(request.index(), choiceIndex, size, e.getMessage()));
    }
  }

  private int choose(LogitsRow row) {
    adjustments.ifPresent(a -> a.apply(row, size));
    int token;
    try {
      token =
          constrained.isPresent()
              ? constrained.get().choose(sampler, row, size)
              : sampler.choose(row, size);
    } finally {
      adjustments.ifPresent(a -> a.undo(row));
    }
    logprobReader.ifPresent(reader -> logprobs.add(reader.read(row, token)));
    return token;
  }

  private int choose(BestLogits best) {
    if (wanted().isAll()) {
      throw new IllegalStateException("this output needs whole rows of logits");
    }
    int token = sampler.choose(best, size);
    logprobReader.ifPresent(reader -> logprobs.add(reader.read(best, token)));
    return token;
  }

  private void append(int token) {
    if (size == tokens.length) {
      tokens = Arrays.copyOf(tokens, 2 * size);
    }
    tokens[size++] = token;
    adjustments.ifPresent(a -> a.generated(token));
  }

  private FinishReason reasonToFinish(int token) {
    if (isEnd(token)) {
      return FinishReason.STOP;
    }
    if (decoder.isPresent() && stopsAtText(decoder.get(), token)) {
      return FinishReason.STOP;
    }
    if (constrained.isPresent() && completes(constrained.get(), token)) {
      return FinishReason.STOP;
    }
    return size >= mostTokens ? FinishReason.LENGTH : null;
  }

  private boolean stopsAtText(IncrementalDecoder text, int token) {
    if (size > sampling.minTokens()) {
      text.push(token);
    } else {
      text.pushWithoutStopping(token);
    }
    return text.stopped();
  }

  private static boolean completes(ConstrainedTokens text, int token) {
    text.append(token);
    return text.isComplete();
  }

  private boolean isEnd(int token) {
    for (int i = 0; i < endTokens.size(); i++) {
      if (endTokens.get(i) == token) {
        return true;
      }
    }
    return false;
  }

  /** Whether a token ended the output. */
  public boolean finished() {
    return finishReason != null;
  }

  /** Number of tokens so far. */
  public int size() {
    return size;
  }

  /**
   * The token chosen last, the model's next input.
   *
   * @throws IllegalStateException before the first token
   */
  public int lastToken() {
    if (size == 0) {
      throw new IllegalStateException("no token has been chosen yet");
    }
    return tokens[size - 1];
  }

  /**
   * The finished output.
   *
   * @throws IllegalStateException if it is not finished
   */
  public Choice choice() {
    if (!finished()) {
      throw new IllegalStateException("the output is not finished, it has " + size + " tokens");
    }
    return new Choice(
        TokenIds.of(Arrays.copyOf(tokens, size)),
        decoder.map(SequenceOutput::wholeText).orElse(""),
        finishReason,
        logprobReader.map(reader -> List.copyOf(logprobs)));
  }

  private static String wholeText(IncrementalDecoder decoder) {
    decoder.finish();
    return decoder.text();
  }
}
