package dev.offload.engine;

import dev.offload.engine.kvcache.BlockTable;
import dev.offload.engine.kvcache.SwapArea;
import dev.offload.engine.pass.Sequence;
import java.util.HashMap;
import java.util.Map;

/**
 * Keeps cache blocks, but not those of shared prefixes, in host memory where copying them there and
 * back takes less time than computing their tokens again. Both are measured: the copies so far, of
 * which the first is always made, and what one more token costs a pass. One per run.
 */
final class SwappingKeeper implements CacheKeeper {
  private final SwapArea area;
  private final PassTimes times;
  private final int blockTokens;
  private final long copiedBefore;
  private final Map<Sequence, Kept> kept = new HashMap<>();

  /** So many tokens behind the shared prefix, in these places. */
  private record Kept(int tokens, BlockTable places) {}

  SwappingKeeper(SwapArea area, PassTimes times, int blockTokens) {
    this.area = area;
    this.times = times;
    this.blockTokens = blockTokens;
    this.copiedBefore = area.copiedBytes();
  }

  @Override
  public void leaves(Sequence sequence) {
    int tokens = sequence.cached() - sequence.prefix().size();
    int blocks = Math.ceilDiv(tokens, blockTokens);
    if (tokens > 0 && copyNanos(blocks) <= tokens * times.nanosPerToken()) {
      area.tryStore(sequence.group(), sequence.blocks(), prefixBlocks(sequence), blocks)
          .ifPresent(places -> kept.put(sequence, new Kept(tokens, places)));
    }
  }

  private int prefixBlocks(Sequence sequence) {
    return sequence.prefix().size() / blockTokens;
  }

  /** There and back; 0 before anything was copied. */
  private double copyNanos(int blocks) {
    double nanosPerByte = (double) area.copyNanos() / Math.max(1, area.copiedBytes());
    return 2 * nanosPerByte * area.bytes(blocks);
  }

  @Override
  public void entered(Sequence sequence) {
    Kept back = kept.remove(sequence);
    if (back == null) {
      return;
    }
    if (sequence.hasWholePrefix()) {
      area.restore(back.places(), sequence.group(), sequence.blocks(), prefixBlocks(sequence));
      sequence.restored(sequence.prefix().size() + back.tokens());
    } else {
      // All is computed anew with the prefix.
      back.places().release();
    }
  }

  @Override
  public void abandon() {
    kept.values().forEach(each -> each.places().release());
    kept.clear();
  }

  @Override
  public long copiedBytes() {
    return area.copiedBytes() - copiedBefore;
  }
}
