package dev.offload.engine;

import dev.offload.engine.pass.Chunk;
import dev.offload.engine.pass.Pass;
import dev.offload.engine.pass.Sequence;
import dev.offload.generation.TokenIds;
import dev.offload.planner.Lane;
import dev.offload.sampling.RowLogits;
import dev.offload.sampling.WantedLogits;
import dev.offload.tensors.Tier;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One run: lets sequences in while there is room, computes passes, hands out their logits. */
final class PassLoop {

  /** What a run is for. */
  interface Job {
    /** Who wants a sequence next; empty when there is nobody left, and not asked again then. */
    Optional<Purpose> next();

    /** Rows handed out so far. */
    long rowsFinished();
  }

  /** What a sequence is computed for. */
  interface Purpose {
    /** The caller's number of the row. */
    long row();

    TokenIds prompt();

    /** First tokens of the prompt, whole cache blocks, that others begin with too; or none. */
    TokenIds prefix();

    /** Most tokens that the sequence will ever have. */
    int mostTokens();

    /** How much of each row of logits is wanted. */
    WantedLogits wantedLogits();

    /**
     * Takes the logits behind the prompt, then behind each further token in order. When they are
     * those behind the sequence's last token, more tokens are to be appended unless it is finished.
     *
     * @param logits what is {@link #wantedLogits} of them, valid during the call
     * @return whether the sequence is finished
     */
    boolean accept(Sequence sequence, RowLogits logits);
  }

  private final Passes passes;
  private final InFlight inFlight;
  private final Job job;
  private final Progress.Listener listener;
  private final Map<Lane, Long> busyBefore;
  private final long readBefore;
  private final long streamedBefore;
  private Optional<Sequence> waiting = Optional.empty();
  private long sequencesBegun;
  private boolean everyoneCame;
  private long firstIn;
  private long lastOut;
  private long prefillNanos;
  private long decodeNanos;
  private long choosingNanos;
  private long passCount;
  private long promptTokens;
  private long sharedPromptTokens;
  private long generatedTokens;
  private long recomputedTokens;
  private long sequencePasses;
  private int mostSequences;
  private int peakKvBlocks;

  /**
   * @param policy for how long a sequence must have room to be let in
   */
  PassLoop(Passes passes, AdmissionPolicy policy, Job job, Progress.Listener listener) {
    this.passes = passes;
    this.inFlight = passes.newFlight(policy);
    this.job = job;
    this.listener = listener;
    passes.newRun();
    this.busyBefore = passes.busyNanos();
    this.readBefore = passes.bytesRead();
    this.streamedBefore = passes.bytesStreamed();
  }

  RunReport run() {
    try {
      admit();
      firstIn = passes.nanoTime();
      lastOut = firstIn;
      while (!inFlight.running().isEmpty()) {
        long begin = passes.nanoTime();
        Pass pass = passes.run(inFlight.running());
        long computed = passes.nanoTime();
        int sequences = countSequences();
        handOut(pass);
        inFlight.makeRoom();
        passes.chosen();
        lastOut = passes.nanoTime();
        choosingNanos += lastOut - computed;
        account(pass, lastOut - begin);
        listener.progress(progress(sequences));
        admit();
      }
      return report();
    } finally {
      // A refused row ends the run, but the engine can go on with others.
      inFlight.abandon();
    }
  }

  private void admit() {
    if (!inFlight.readmit()) {
      return;
    }
    while (someoneWaits()) {
      Sequence next = waiting.orElseThrow();
      if (!inFlight.tryEnter(next)) {
        if (inFlight.running().isEmpty()) {
          throw new IllegalArgumentException(
              "row %d needs a KV cache of %d tokens, but there is room for %d; give more device memory, room for longer rows (kvTokensPerSequence), a smaller max_tokens or shorter choices"
                  .formatted(purpose(next).row(), next.mostTokens(), passes.maxSequenceTokens()));
        }
        return;
      }
      waiting = Optional.empty();
    }
  }

  private boolean someoneWaits() {
    if (waiting.isEmpty() && !everyoneCame) {
      waiting = job.next().map(this::newSequence);
      everyoneCame = waiting.isEmpty();
    }
    return waiting.isPresent();
  }

  private Sequence newSequence(Purpose purpose) {
    return new Sequence(
        purpose,
        sequencesBegun++,
        purpose.prompt(),
        purpose.mostTokens(),
        purpose.prefix(),
        purpose.wantedLogits());
  }

  private static Purpose purpose(Sequence sequence) {
    return (Purpose) sequence.owner();
  }

  private int countSequences() {
    int sequences = inFlight.running().size();
    sequencePasses += sequences;
    mostSequences = Math.max(mostSequences, sequences);
    peakKvBlocks = Math.max(peakKvBlocks, passes.blocksInUse());
    return sequences;
  }

  private void handOut(Pass pass) {
    for (List<Chunk> chunks : pass.microBatches()) {
      for (Chunk chunk : chunks) {
        for (int r = 0; r < chunk.logitsRows(); r++) {
          handOut(chunk.sequence(), passes.logits(chunk.firstLogitsRow() + r));
        }
      }
    }
  }

  private void handOut(Sequence sequence, RowLogits logits) {
    generatedTokens++;
    inFlight.grew(sequence, purpose(sequence).accept(sequence, logits));
  }

  private void account(Pass pass, long nanos) {
    passCount++;
    int prompt = 0;
    for (List<Chunk> chunks : pass.microBatches()) {
      for (Chunk chunk : chunks) {
        prompt += chunk.promptTokens();
        sharedPromptTokens += chunk.sharedTokens();
        recomputedTokens += chunk.recomputedTokens();
      }
    }
    promptTokens += prompt;
    long share = nanos * prompt / Math.max(1, pass.tokens());
    prefillNanos += share;
    decodeNanos += nanos - share;
  }

  private Progress progress(int sequences) {
    return new Progress(
        passCount,
        job.rowsFinished(),
        sequences,
        promptTokens,
        sharedPromptTokens,
        generatedTokens,
        lastOut - firstIn,
        prefillNanos,
        decodeNanos,
        choosingNanos,
        passes.bytesRead() - readBefore,
        busyShares(),
        flight());
  }

  private RunReport.Flight flight() {
    return new RunReport.Flight(
        (double) sequencePasses / Math.max(1, passCount),
        mostSequences,
        inFlight.preemptions(),
        recomputedTokens,
        inFlight.copiedBytes(Tier.HOST),
        inFlight.copiedBytes(Tier.DISK),
        peakKvBlocks);
  }

  private Map<Lane, Double> busyShares() {
    Map<Lane, Double> shares = new EnumMap<>(Lane.class);
    double wall = Math.max(1, lastOut - firstIn);
    passes
        .busyNanos()
        .forEach(
            (lane, nanos) -> {
              // What is read ahead may have gone on behind the last pass.
              double share = (nanos - busyBefore.getOrDefault(lane, 0L)) / wall;
              shares.put(lane, Math.min(1, share));
            });
    return shares;
  }

  private RunReport report() {
    return new RunReport(
        job.rowsFinished(),
        promptTokens,
        sharedPromptTokens,
        generatedTokens,
        passCount,
        lastOut - firstIn,
        prefillNanos,
        decodeNanos,
        busyShares(),
        passes.bytesRead() - readBefore,
        passes.bytesStreamed() - streamedBefore,
        passes.peakDeviceBytes(),
        passes.peakHostBytes(),
        flight());
  }
}
