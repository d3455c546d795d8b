package dev.offload.engine;

import dev.offload.engine.pass.Sequence;
import java.util.List;

/** Reserves room for the most tokens that a sequence may get, so that nothing is ever preempted. */
final class ReserveMost implements Admission {
  private final int blockTokens;

  ReserveMost(int blockTokens) {
    this.blockTokens = blockTokens;
  }

  @Override
  public void begin() {
    // What is free says all.
  }

  @Override
  public boolean tryEnter(
      Sequence sequence, int group, List<Sequence> members, int blocks, int freeBlocks) {
    int tokens = sequence.mostTokens() - sequence.prefix().size();
    return Math.ceilDiv(tokens, blockTokens) <= freeBlocks;
  }

  @Override
  public int tokensClaimed(Sequence sequence) {
    return sequence.mostTokens();
  }

  @Override
  public void grew(Sequence sequence, boolean finished) {
    // Its room was reserved.
  }
}
