package dev.offload.engine.kvcache;

import java.util.BitSet;

/** A set of block numbers as runs of neighbours, so that few large copies move them. Immutable. */
public final class BlockRuns {
  /** Takes one run. */
  @FunctionalInterface
  public interface Run {
    void accept(int first, int count);
  }

  private final BitSet blocks;

  public BlockRuns(BitSet blocks) {
    this.blocks = (BitSet) blocks.clone();
  }

  /** Calls for every run, ascending. */
  public void forEach(Run run) {
    for (int first = blocks.nextSetBit(0); first >= 0; ) {
      int end = blocks.nextClearBit(first);
      run.accept(first, end - first);
      first = blocks.nextSetBit(end);
    }
  }

  /** Number of blocks in all runs. */
  public int blocks() {
    return blocks.cardinality();
  }
}
