package dev.offload.engine.pass;

import dev.offload.planner.Plan;
import java.util.ArrayList;
import java.util.List;

/**
 * Decides what the next pass computes: one token of every sequence that is decoding, and as many
 * tokens of the others, oldest first, as the micro-batch still has room for. Asks for no more rows
 * of logits than there may be sequences. Not thread-safe.
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
        int logitsRoom = plan.maxSequences() - logitsRows;
        int count =
            Math.min(
                Math.min(sequence.pending(), room[group]),
                sequence.pendingWithoutLogits() + logitsRoom);
        if ((sequence.pending() == 1) != decoding || count == 0) {
          continue;
        }
        Chunk chunk = Chunk.of(sequence, count, logitsRows);
        microBatches.get(group).add(chunk);
        room[group] -= count;
        logitsRows += chunk.logitsRows();
      }
    }
    return new Pass(microBatches, logitsRows);
  }
}
