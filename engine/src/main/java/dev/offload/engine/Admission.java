package dev.offload.engine;

import dev.offload.engine.pass.Sequence;
import java.util.List;

/** Decides who may enter the cache. Belongs to one run and is owned by its thread. */
interface Admission {

  /** The one of a policy, for cache blocks of so many tokens. */
  static Admission of(AdmissionPolicy policy, int blockTokens) {
    return switch (policy) {
      case EXPECTED_LENGTH -> new ExpectedLength(blockTokens);
      case RESERVE_MOST -> new ReserveMost(blockTokens);
    };
  }

  /** Sequences are about to be let in; those that run have changed since the last time. */
  void begin();

  /**
   * Whether a KV group can take one more sequence. If so, the sequence enters. Prefixes that
   * sequences share have their blocks already and do not count.
   *
   * @param group number of the KV group
   * @param members the sequences that were in it when letting in began
   * @param blocks its cache blocks
   * @param freeBlocks those that nobody has
   */
  boolean tryEnter(
      Sequence sequence, int group, List<Sequence> members, int blocks, int freeBlocks);

  /** Tokens for which a sequence gets cache blocks when it enters. */
  int tokensClaimed(Sequence sequence);

  /** A sequence got a token behind its prompt. */
  void grew(Sequence sequence, boolean finished);
}
