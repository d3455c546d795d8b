package dev.offload.engine;

import dev.offload.engine.kvcache.BlockPool;
import dev.offload.engine.kvcache.BlockTable;
import dev.offload.engine.pass.Sequence;
import dev.offload.planner.KvGroup;
import dev.offload.tensors.Tier;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The sequences of a run that have begun: those that run, and those that were preempted because
 * older ones needed their cache blocks. Owned by the engine thread.
 *
 * <p>Every run ends. Sequences are numbered when they come, and only younger ones are preempted for
 * older ones; nobody new enters before all preempted ones are back, the oldest first. So the oldest
 * unfinished sequence stays once it is in; it gets at least one token in each pass and, since none
 * enters a group whose cache could not hold its most tokens alone, all the blocks it needs. As long
 * as it is out nobody new enters, those that run end one after the other for the same reason, and
 * at last a group is empty, which takes it.
 */
final class InFlight {
  private final List<KvGroup> groups;
  private final List<BlockPool> pools;
  private final int blockTokens;
  private final Admission admission;
  private final CacheKeeper keeper;

  /** By number, as the next one. */
  private final List<Sequence> running = new ArrayList<>();

  private final List<Sequence> preempted = new ArrayList<>();
  private final List<List<Sequence>> members = new ArrayList<>();
  private long preemptions;

  InFlight(
      List<KvGroup> groups,
      List<BlockPool> pools,
      int blockTokens,
      Admission admission,
      CacheKeeper keeper) {
    this.groups = groups;
    this.pools = pools;
    this.blockTokens = blockTokens;
    this.admission = admission;
    this.keeper = keeper;
    groups.forEach(_ -> members.add(new ArrayList<>()));
  }

  /** Those that take part in the next pass, oldest first. */
  List<Sequence> running() {
    return Collections.unmodifiableList(running);
  }

  /**
   * Lets the preempted back in as far as there is room.
   *
   * @return whether none is left
   */
  boolean readmit() {
    admission.begin();
    while (!preempted.isEmpty() && tryEnter(preempted.getFirst())) {
      preempted.removeFirst();
    }
    return preempted.isEmpty();
  }

  /** Lets a new sequence in if there is room; after {@link #readmit} only. */
  boolean tryEnter(Sequence sequence) {
    for (int group : bestFirst(sequence)) {
      if (tryEnter(sequence, group)) {
        insert(running, sequence);
        insert(members.get(group), sequence);
        return true;
      }
    }
    return false;
  }

  /** Those that hold its prefix already, then those with few members. */
  private List<Integer> bestFirst(Sequence sequence) {
    return IntStream.range(0, groups.size())
        .boxed()
        .sorted(
            Comparator.<Integer, Boolean>comparing(
                    group -> !pools.get(group).prefixes().has(sequence.prefix()))
                .thenComparing(group -> members.get(group).size()))
        .toList();
  }

  private boolean tryEnter(Sequence sequence, int group) {
    BlockPool pool = pools.get(group);
    List<Sequence> others = members.get(group);
    BlockTable table = new BlockTable(pool, blockTokens);
    int newlyShared =
        pool.prefixes().isUsed(sequence.prefix()) ? 0 : sequence.prefix().size() / blockTokens;
    int notShared = pool.blocks() - pool.prefixes().usedBlocks() - newlyShared;
    if (others.size() == groups.get(group).sequences()
        || table.missing(sequence.mostTokens()) > pool.blocks()
        || !admission.tryEnter(
            sequence, group, others, notShared, pool.freeBlocks() - newlyShared)) {
      return false;
    }
    boolean hasPrefix = sequence.prefix().size() == 0 || table.begin(sequence.prefix());
    if (!hasPrefix || !table.ensure(admission.tokensClaimed(sequence))) {
      throw new AssertionError("a group that has room has not: " + pool.freeBlocks() + " blocks");
    }
    sequence.enter(group, table);
    keeper.entered(sequence);
    return true;
  }

  private static void insert(List<Sequence> byNumber, Sequence sequence) {
    int at = byNumber.size();
    while (at > 0 && byNumber.get(at - 1).number() > sequence.number()) {
      at--;
    }
    byNumber.add(at, sequence);
  }

  /** A sequence got a token. */
  void grew(Sequence sequence, boolean finished) {
    admission.grew(sequence, finished);
    if (finished) {
      leave(sequence);
    }
  }

  /**
   * Makes sure that all that run have blocks for their tokens, oldest first; where there are not
   * enough in a group, its youngest are preempted.
   */
  void makeRoom() {
    for (Sequence sequence : List.copyOf(running)) {
      while (sequence.group() >= 0 && !sequence.blocks().ensure(sequence.length())) {
        preempt(members.get(sequence.group()).getLast());
      }
    }
  }

  private void preempt(Sequence sequence) {
    keeper.leaves(sequence);
    leave(sequence);
    insert(preempted, sequence);
    preemptions++;
  }

  private void leave(Sequence sequence) {
    running.remove(sequence);
    members.get(sequence.group()).remove(sequence);
    sequence.leave();
  }

  /** How often a sequence was preempted. */
  long preemptions() {
    return preemptions;
  }

  /** Bytes copied to keep there what preempted sequences had in the cache, both ways. */
  long copiedBytes(Tier tier) {
    return keeper.copiedBytes(tier);
  }

  /** Gives all blocks back, finished or not. */
  void abandon() {
    List.copyOf(running).forEach(this::leave);
    preempted.clear();
    keeper.abandon();
    pools.forEach(BlockPool::dropIdlePrefixes);
  }
}
