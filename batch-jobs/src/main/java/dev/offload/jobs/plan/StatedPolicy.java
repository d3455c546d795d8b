package dev.offload.jobs.plan;

import dev.offload.jobs.rows.CheckedFields;
import dev.offload.jobs.rows.RowException;
import dev.offload.planner.peers.FlexGenPolicy;
import java.util.Optional;

/**
 * What a publication states of a policy; never enough to run it.
 *
 * @param microBatch sequences computed at a time
 * @param microBatches how many of these make a block
 * @param sequences in a block
 */
record StatedPolicy(
    Optional<Integer> microBatch, Optional<Integer> microBatches, Optional<Integer> sequences) {
  private static final int MOST = 10_000_000;

  static StatedPolicy of(CheckedFields policy) throws RowException {
    return new StatedPolicy(
        whole(policy, "micro_batch"), whole(policy, "micro_batches"), whole(policy, "sequences"));
  }

  private static Optional<Integer> whole(CheckedFields policy, String name) throws RowException {
    return policy.has(name) ? Optional.of(policy.whole(name, 1, MOST)) : Optional.empty();
  }

  /** Where a whole policy says something else, if it does. */
  Optional<String> contradiction(FlexGenPolicy whole) {
    return differs("micro_batch", microBatch, whole.microBatch())
        .or(() -> differs("micro_batches", microBatches, whole.microBatches()))
        .or(() -> differs("sequences", sequences, whole.sequences()));
  }

  private static Optional<String> differs(String name, Optional<Integer> stated, int other) {
    return stated
        .filter(value -> value != other)
        .map(value -> "policy.%s is %d, in FlexGen's suite %d".formatted(name, value, other));
  }
}
