package dev.offload.engine;

import dev.offload.engine.pass.Pass;
import dev.offload.engine.pass.Sequence;
import dev.offload.planner.Lane;
import dev.offload.sampling.RowLogits;
import java.util.List;
import java.util.Map;

/** Who computes the passes of a run: an engine, or one that is only simulated. */
interface Passes {
  /** Most tokens for which a KV group has room. */
  int maxSequenceTokens();

  /** A place for the sequences of a run. */
  InFlight newFlight(AdmissionPolicy policy);

  /** A run begins. */
  void newRun();

  /** Computes the next pass over all sequences in flight, oldest first. */
  Pass run(List<Sequence> running);

  /** What is wanted of the logits of a row of the last pass; valid until the next one. */
  RowLogits logits(int row);

  /** Tokens have been chosen from the last pass's logits. */
  void chosen();

  /** Cache blocks that sequences have, shared ones once. */
  int blocksInUse();

  /** How long each lane has been busy so far. */
  Map<Lane, Long> busyNanos();

  /** Bytes read from weight files so far. */
  long bytesRead();

  /** Bytes of weights copied to the device so far. */
  long bytesStreamed();

  /** The time, from some beginning. */
  long nanoTime();

  /** Most device memory in use at any time, in bytes. */
  long peakDeviceBytes();

  /** Most pinned host memory in use at any time, in bytes. */
  long peakHostBytes();
}
