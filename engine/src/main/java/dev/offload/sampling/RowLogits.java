package dev.offload.sampling;

import java.lang.foreign.MemorySegment;

/** What there is of a row of logits: what was wanted, or more. */
public sealed interface RowLogits permits RowLogits.All, BestLogits {

  /**
   * The whole row.
   *
   * @param values float32 {@code [vocabulary]}; whoever owns the memory must keep it alive
   */
  record All(MemorySegment values) implements RowLogits {}

  /**
   * The values of a whole row.
   *
   * @throws IllegalStateException if it is not whole
   */
  default MemorySegment all() {
    return switch (this) {
      case All(MemorySegment values) -> values;
      case BestLogits _ ->
          throw new IllegalStateException("only the largest logits of this row are here");
    };
  }
}
