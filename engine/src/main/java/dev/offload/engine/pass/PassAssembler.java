package dev.offload.engine.pass;

import dev.offload.planner.Plan;
import java.util.ArrayList;
import java.util.List;

/**
 * Decides what the next pass computes: one token of every sequence that is decoding, and as many
 * prompt tokens of the others, oldest first, as the micro-batch still has room for. Not
 * thread-safe.
 */
public final class PassAssembler {
  private final Plan plan;

  public PassAssembler(Plan plan) {
    this.plan = plan;
  }

  /**
   * The next pass over the running sequences, oldest first.
   *
   * @param running all sequences in flight, each with at least one pending token
   */
  public Pass next(List<Sequence> running) {
    int groups = plan.kvGroups().size();
    List<List<Chunk>> microBatches = new ArrayList<>();
    int[] room = new int[groups];
    for (int i = 0; i < groups; i++) {
      microBatches.add(new ArrayList<>());
      room[i] = plan.microBatchTokens();
    }
    int logitsRows = 0;
    for (boolean decoding : new boolean[] {true, false}) {
      for (Sequence sequence : running) {
        int group = sequence.group();
        if ((sequence.pending() == 1) != decoding || room[group] == 0) {
          continue;
        }
        int count = Math.min(sequence.pending(), room[group]);
        boolean complete = count == sequence.pending();
        microBatches
            .get(group)
            .add(new Chunk(sequence, sequence.cached(), count, complete ? logitsRows++ : -1));
        room[group] -= count;
      }
    }
    return new Pass(microBatches, logitsRows);
  }
}
