package dev.offload.engine;

import dev.offload.engine.kvcache.BlockTable;
import dev.offload.engine.kvcache.SwapArea;
import dev.offload.engine.pass.Sequence;
import dev.offload.tensors.Tier;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Keeps cache blocks, but not those of shared prefixes, in host memory or in a file where copying
 * them there and back takes less time than computing their tokens again: the fastest that has room.
 * All is measured: the copies so far, and what one more token costs a pass. One per run.
 */
final class SwappingKeeper implements CacheKeeper {
  private final List<SwapArea> areas;
  private final PassTimes times;
  private final int blockTokens;
  private final Map<SwapArea, Long> copiedBefore = new HashMap<>();
  private final Map<Sequence, Kept> kept = new HashMap<>();

  /** So many tokens behind the shared prefix, in these places. */
  private record Kept(int tokens, SwapArea area, BlockTable places) {}

  SwappingKeeper(List<? extends SwapArea> areas, PassTimes times, int blockTokens) {
    this.areas = List.copyOf(areas);
    this.times = times;
    this.blockTokens = blockTokens;
    areas.forEach(area -> copiedBefore.put(area, area.copiedBytes()));
  }

  @Override
  public void leaves(Sequence sequence) {
    int tokens = sequence.cached() - sequence.prefix().size();
    int blocks = Math.ceilDiv(tokens, blockTokens);
    if (tokens <= 0) {
      return;
    }
    areas.stream()
        .filter(area -> 2 * area.copyNanos(blocks) <= tokens * times.nanosPerToken())
        .sorted(Comparator.comparingDouble(area -> area.copyNanos(blocks)))
        .map(area -> tryKeep(sequence, area, tokens, blocks))
        .flatMap(Optional::stream)
        .findFirst()
        .ifPresent(places -> kept.put(sequence, places));
  }

  private Optional<Kept> tryKeep(Sequence sequence, SwapArea area, int tokens, int blocks) {
    return area.tryStore(sequence.group(), sequence.blocks(), prefixBlocks(sequence), blocks)
        .map(places -> new Kept(tokens, area, places));
  }

  private int prefixBlocks(Sequence sequence) {
    return sequence.prefix().size() / blockTokens;
  }

  @Override
  public void entered(Sequence sequence) {
    Kept back = kept.remove(sequence);
    if (back == null) {
      return;
    }
    if (!sequence.hasWholePrefix()) {
      // All is computed anew with the prefix.
      back.places().release();
    } else if (restore(back, sequence)) {
      sequence.restored(sequence.prefix().size() + back.tokens());
    }
  }

  private boolean restore(Kept back, Sequence sequence) {
    return back.area()
        .tryRestore(back.places(), sequence.group(), sequence.blocks(), prefixBlocks(sequence));
  }

  @Override
  public void abandon() {
    kept.values().forEach(each -> each.places().release());
    kept.clear();
  }

  @Override
  public long copiedBytes(Tier tier) {
    return areas.stream()
        .filter(area -> area.tier() == tier)
        .mapToLong(area -> area.copiedBytes() - copiedBefore.get(area))
        .sum();
  }
}
