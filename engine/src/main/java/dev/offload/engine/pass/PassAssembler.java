package dev.offload.engine.pass;

import dev.offload.engine.kvcache.CachedPrefix;
import dev.offload.planner.Plan;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Decides what the next pass computes: one token of every sequence that is decoding, and as many
 * tokens of the others, oldest first, as the micro-batch still has room for. Asks for no more rows
 * of logits than there may be sequences. Not thread-safe.
 *
 * <p>What is missing of a shared prefix is computed by the first sequence that has it; the others
 * follow in the same pass if there is room for all of it, and otherwise wait. In a micro-batch
 * those that lie behind the same prefix are neighbours.
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
    Set<CachedPrefix> computed = new HashSet<>();
    int logitsRows = 0;
    for (boolean decoding : new boolean[] {true, false}) {
      for (Sequence sequence : running) {
        if ((sequence.pending() == 1) != decoding) {
          continue;
        }
        int group = sequence.group();
        int first = first(sequence, computed);
        int logitsRoom = plan.maxSequences() - logitsRows;
        int end =
            Math.min(
                Math.min(sequence.length(), first + room[group]),
                Math.max(first, sequence.firstWithLogits()) + logitsRoom);
        if (end <= first) {
          continue;
        }
        Chunk chunk = Chunk.of(sequence, first, end - first);
        microBatches.get(group).add(chunk);
        sequence.cachedPrefix().ifPresent(computed::add);
        room[group] -= chunk.count();
        logitsRows += chunk.logitsRows();
      }
    }
    return Pass.of(microBatches.stream().map(PassAssembler::byPrefix).toList());
  }

  /**
   * The first token of a sequence that the pass may compute.
   *
   * @param computed prefixes of which the pass computes what is missing; if not all of it, no room
   *     is left in the micro-batch
   */
  private static int first(Sequence sequence, Set<CachedPrefix> computed) {
    return sequence
        .cachedPrefix()
        .filter(computed::contains)
        .map(prefix -> Math.max(prefix.tokens(), sequence.cached()))
        .orElseGet(sequence::cached);
  }

  private static List<Chunk> byPrefix(List<Chunk> chunks) {
    Map<Object, List<Chunk>> together = new LinkedHashMap<>();
    for (Chunk chunk : chunks) {
      Object key = chunk.prefixBehind().isPresent() ? chunk.prefixBehind().get() : chunk;
      together.computeIfAbsent(key, _ -> new ArrayList<>()).add(chunk);
    }
    return together.values().stream().flatMap(List::stream).toList();
  }
}
