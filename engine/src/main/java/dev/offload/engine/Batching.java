package dev.offload.engine;

import java.util.OptionalInt;

/**
 * How much runs at a time, as far as it is not left to the planner.
 *
 * @param sequences most sequences in flight; absent means as many as are best
 * @param microBatches number of micro-batches; absent means one where sequences are given
 * @param microBatchTokens most tokens of one micro-batch in a pass; absent means 512 where
 *     sequences are given, and more of a mixture of many experts if nothing has to leave the device
 *     for it
 */
public record Batching(
    OptionalInt sequences, OptionalInt microBatches, OptionalInt microBatchTokens) {

  /** All of it the planner's to decide. */
  public static final Batching PLANNED =
      new Batching(OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty());

  /** Nothing left to the planner. */
  public static Batching of(int sequences, int microBatches, int microBatchTokens) {
    return new Batching(
        OptionalInt.of(sequences), OptionalInt.of(microBatches), OptionalInt.of(microBatchTokens));
  }

  /** The same, with these where nothing is said. */
  Batching orElse(int mostSequences, int groups, int tokens) {
    return of(
        sequences.orElse(mostSequences),
        microBatches.orElse(groups),
        microBatchTokens.orElse(tokens));
  }
}
