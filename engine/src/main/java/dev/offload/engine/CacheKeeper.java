package dev.offload.engine;

import dev.offload.engine.pass.Sequence;
import dev.offload.tensors.Tier;

/** Keeps what preempted sequences had in the cache. */
interface CacheKeeper {
  /** Keeps nothing: all is computed again. */
  CacheKeeper NONE =
      new CacheKeeper() {
        @Override
        public void leaves(Sequence sequence) {
          // Its tokens are enough.
        }

        @Override
        public void entered(Sequence sequence) {
          // It begins anew.
        }

        @Override
        public void abandon() {
          // Nothing to give up.
        }

        @Override
        public long copiedBytes(Tier tier) {
          return 0;
        }
      };

  /** A preempted sequence is about to lose its blocks. */
  void leaves(Sequence sequence);

  /** A sequence got blocks, perhaps not for the first time. */
  void entered(Sequence sequence);

  /** Gives up all that is kept. */
  void abandon();

  /** Bytes copied so far to host memory or to a file, both ways. */
  long copiedBytes(Tier tier);
}
