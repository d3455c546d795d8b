package dev.offload.engine;

import dev.offload.backends.api.Device;
import dev.offload.engine.pass.Chunk;
import dev.offload.engine.pass.Pass;
import dev.offload.engine.pass.Sequence;
import dev.offload.generation.GenerationRequest;
import dev.offload.generation.GenerationResult;
import dev.offload.generation.GenerationResult.Choice;
import dev.offload.generation.RequestSource;
import dev.offload.generation.ResultSink;
import dev.offload.planner.Lane;
import dev.offload.sampling.OutputRules;
import dev.offload.sampling.SequenceOutput;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One run: takes rows while there is room, computes passes, samples, hands out finished rows. */
final class GenerationLoop {
  private final OutputRules rules;
  private final PassRunner passes;
  private final Device device;
  private final RequestSource source;
  private final ResultSink sink;
  private final Progress.Listener listener;
  private final LogitsObserver observer;
  private final Deque<RunningOutput> waiting = new ArrayDeque<>();
  private final List<Sequence> running = new ArrayList<>();
  private final Map<Lane, Long> busyBefore;
  private final long readBefore;
  private boolean sourceIsEmpty;
  private long firstIn;
  private long lastOut;
  private long prefillNanos;
  private long decodeNanos;
  private long passCount;
  private long rowsFinished;
  private long promptTokens;
  private long generatedTokens;

  GenerationLoop(
      OutputRules rules,
      PassRunner passes,
      Device device,
      RequestSource source,
      ResultSink sink,
      Progress.Listener listener,
      LogitsObserver observer) {
    this.rules = rules;
    this.passes = passes;
    this.device = device;
    this.source = source;
    this.sink = sink;
    this.listener = listener;
    this.observer = observer;
    this.busyBefore = passes.busyNanos();
    this.readBefore = passes.bytesRead();
  }

  RunReport run() {
    admit();
    firstIn = System.nanoTime();
    lastOut = firstIn;
    while (!running.isEmpty()) {
      long begin = System.nanoTime();
      Pass pass = passes.run(running);
      sample(pass);
      lastOut = System.nanoTime();
      account(pass, lastOut - begin);
      listener.progress(progress());
      admit();
    }
    return report();
  }

  private void admit() {
    while (true) {
      if (waiting.isEmpty() && !takeRow()) {
        return;
      }
      RunningOutput next = waiting.getFirst();
      GenerationRequest request = next.row().request();
      long wanted = (long) request.prompt().size() + request.sampling().maxTokens();
      int most = (int) Math.min(rules.contextLength(), wanted);
      Optional<Sequence> sequence = passes.tryAdmit(next, request.prompt(), most);
      if (sequence.isEmpty()) {
        if (running.isEmpty()) {
          throw new IllegalArgumentException(
              "row %d needs a KV cache of %d tokens, but there is room for %d; give more device memory, room for longer rows (kvTokensPerSequence) or a smaller max_tokens"
                  .formatted(request.index(), most, passes.maxSequenceTokens()));
        }
        return;
      }
      waiting.removeFirst();
      running.add(sequence.get());
    }
  }

  private boolean takeRow() {
    if (sourceIsEmpty) {
      return false;
    }
    Optional<GenerationRequest> next = source.next();
    if (next.isEmpty()) {
      sourceIsEmpty = true;
      return false;
    }
    Row row = new Row(next.get());
    for (int i = 0; i < row.request().sampling().choices(); i++) {
      waiting.addLast(new RunningOutput(row, i, new SequenceOutput(rules, row.request(), i)));
    }
    return true;
  }

  private void sample(Pass pass) {
    for (List<Chunk> chunks : pass.microBatches()) {
      for (Chunk chunk : chunks) {
        if (chunk.logitsRow() >= 0) {
          sample(chunk);
        }
      }
    }
  }

  private void sample(Chunk chunk) {
    Sequence sequence = chunk.sequence();
    RunningOutput running = (RunningOutput) sequence.owner();
    MemorySegment logits = passes.logits(chunk.logitsRow());
    observer.logits(running.row().request(), running.output().size(), logits);
    boolean finished = running.output().accept(logits);
    generatedTokens++;
    sequence.append(running.output().lastToken());
    if (finished) {
      this.running.remove(sequence);
      passes.retire(sequence);
      running.row().finish(running.choice(), running.output().choice()).ifPresent(this::handOut);
    }
  }

  private void handOut(GenerationResult result) {
    sink.finished(result);
    rowsFinished++;
  }

  private void account(Pass pass, long nanos) {
    passCount++;
    int prompt = 0;
    for (List<Chunk> chunks : pass.microBatches()) {
      for (Chunk chunk : chunks) {
        prompt += chunk.promptTokens();
      }
    }
    promptTokens += prompt;
    long share = nanos * prompt / Math.max(1, pass.tokens());
    prefillNanos += share;
    decodeNanos += nanos - share;
  }

  private Progress progress() {
    return new Progress(
        passCount,
        rowsFinished,
        running.size(),
        promptTokens,
        generatedTokens,
        lastOut - firstIn,
        busyShares());
  }

  private Map<Lane, Double> busyShares() {
    Map<Lane, Double> shares = new EnumMap<>(Lane.class);
    double wall = Math.max(1, lastOut - firstIn);
    passes
        .busyNanos()
        .forEach(
            (lane, nanos) -> shares.put(lane, (nanos - busyBefore.getOrDefault(lane, 0L)) / wall));
    return shares;
  }

  private RunReport report() {
    return new RunReport(
        rowsFinished,
        promptTokens,
        generatedTokens,
        passCount,
        lastOut - firstIn,
        prefillNanos,
        decodeNanos,
        busyShares(),
        passes.bytesRead() - readBefore,
        device.peakBytes(),
        device.peakPinnedBytes());
  }

  /** One of the outputs of a row. */
  private record RunningOutput(Row row, int choice, SequenceOutput output) {}

  /** A row whose outputs are in the making. */
  private static final class Row {
    private final GenerationRequest request;
    private final Choice[] choices;
    private int missing;

    Row(GenerationRequest request) {
      this.request = request;
      this.choices = new Choice[request.sampling().choices()];
      this.missing = choices.length;
    }

    GenerationRequest request() {
      return request;
    }

    /** Takes one output; returns the result when it was the last. */
    Optional<GenerationResult> finish(int choice, Choice output) {
      choices[choice] = output;
      missing--;
      return missing > 0
          ? Optional.empty()
          : Optional.of(new GenerationResult(request.index(), request.prompt(), List.of(choices)));
    }
  }
}
