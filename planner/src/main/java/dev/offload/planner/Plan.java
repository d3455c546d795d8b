package dev.offload.planner;

import dev.offload.tensors.DType;
import dev.offload.tensors.Tier;
import dev.offload.tensors.weights.UnitId;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What lives where and how much runs at a time.
 *
 * @param computeDType format in which matrices are held and multiplied
 * @param placement where each weight unit lives
 * @param kvGroups the KV cache of each micro-batch; as many as there are micro-batches
 * @param kvRingSlots device slots through which host caches are streamed; 0 if none is
 * @param microBatchTokens most tokens of one micro-batch in a pass
 * @param ringBytes device memory through which weights are streamed
 * @param stagingBytes host memory through which weights come from files
 * @param swapBlocks cache blocks of preempted sequences for which there is room in host memory
 * @param diskSwapBlocks those for which a file may have room; through host memory for one of them
 * @param granuleBytes experts of a layer, and slices of the output matrix, are moved together up to
 *     this size
 * @param hostExperts experts that live in host memory and are computed there, not streamed
 */
public record Plan(
    DType computeDType,
    Map<UnitId, Tier> placement,
    List<KvGroup> kvGroups,
    int kvRingSlots,
    int microBatchTokens,
    long ringBytes,
    long stagingBytes,
    int swapBlocks,
    int diskSwapBlocks,
    long granuleBytes,
    Set<UnitId> hostExperts) {
  /** Rows are counted in ints, and so are some products of them. */
  private static final int MOST_TOKENS = 1 << 30;

  public Plan {
    placement = Map.copyOf(placement);
    kvGroups = List.copyOf(kvGroups);
    hostExperts = Set.copyOf(hostExperts);
    if (kvGroups.isEmpty() || microBatchTokens < 1) {
      throw new IllegalArgumentException(
          "a plan has %d micro-batches of %d tokens, both must be at least 1"
              .formatted(kvGroups.size(), microBatchTokens));
    }
    long sequences = kvGroups.stream().mapToLong(KvGroup::sequences).sum();
    if ((long) kvGroups.size() * microBatchTokens > MOST_TOKENS || sequences > MOST_TOKENS) {
      throw new IllegalArgumentException(
          "a plan has %d micro-batches of %d tokens and %d sequences, a pass can have up to %d of both"
              .formatted(kvGroups.size(), microBatchTokens, sequences, MOST_TOKENS));
    }
    boolean streamsKv = kvGroups.stream().anyMatch(g -> g.home() == KvGroup.Home.HOST_STREAMED);
    if (streamsKv && kvRingSlots < 1) {
      throw new IllegalArgumentException("KV groups are streamed but there is no KV ring slot");
    }
    for (UnitId unit : hostExperts) {
      if (unit.kind() != UnitId.Kind.EXPERT || placement.get(unit) != Tier.HOST) {
        throw new IllegalArgumentException(
            "unit %s on tier %s cannot be computed on the host: only experts at home in host memory can"
                .formatted(unit, placement.get(unit)));
      }
    }
  }

  /** A plan that computes no experts on the host. */
  public Plan(
      DType computeDType,
      Map<UnitId, Tier> placement,
      List<KvGroup> kvGroups,
      int kvRingSlots,
      int microBatchTokens,
      long ringBytes,
      long stagingBytes,
      int swapBlocks,
      int diskSwapBlocks,
      long granuleBytes) {
    this(
        computeDType,
        placement,
        kvGroups,
        kvRingSlots,
        microBatchTokens,
        ringBytes,
        stagingBytes,
        swapBlocks,
        diskSwapBlocks,
        granuleBytes,
        Set.of());
  }

  /** The same, but these experts, at home in host memory, are computed there. */
  public Plan withHostExperts(Set<UnitId> experts) {
    return new Plan(
        computeDType,
        placement,
        kvGroups,
        kvRingSlots,
        microBatchTokens,
        ringBytes,
        stagingBytes,
        swapBlocks,
        diskSwapBlocks,
        granuleBytes,
        experts);
  }

  /** The weight units that live on a tier. */
  public Set<UnitId> unitsOn(Tier tier) {
    return placement.entrySet().stream()
        .filter(unit -> unit.getValue() == tier)
        .map(Map.Entry::getKey)
        .collect(Collectors.toUnmodifiableSet());
  }

  /** Whether the CPU attends to some cache in host memory. */
  public boolean attendsOnHost() {
    return kvGroups.stream().anyMatch(group -> group.home() == KvGroup.Home.HOST_ATTENDED);
  }

  /** Most sequences at a time. */
  public int maxSequences() {
    return kvGroups.stream().mapToInt(KvGroup::sequences).sum();
  }

  /** Most tokens of one pass. */
  public int passTokens() {
    return kvGroups.size() * microBatchTokens;
  }
}
