package dev.offload.tensors.model;

import java.lang.foreign.MemorySegment;

/**
 * Cosines and sines of a rotary embedding, in the arithmetic of transformers: frequencies and
 * angles in binary32. Thread-safe.
 */
public final class RopeTable {
  private final Rope rope;
  private final int originalContext;
  private final float attentionFactor;
  private final RopeRows within;

  /** Rows beyond the original context, where they do not depend on the length itself. */
  private final RopeRows beyond;

  /** A table for a rope, which must rotate at least two dimensions. */
  public RopeTable(Rope rope) {
    if (rope.dimensions() < 2) {
      throw new IllegalArgumentException("rope rotates " + rope.dimensions() + " dimensions");
    }
    this.rope = rope;
    RopeFrequencies frequencies = new RopeFrequencies(rope);
    originalContext = frequencies.originalContext();
    attentionFactor = frequencies.attentionFactor();
    within = new RopeRows(frequencies.within(), attentionFactor);
    beyond = new RopeRows(frequencies.beyond(), attentionFactor);
  }

  /** Floats in one row: as many as dimensions are rotated. */
  public int dimensions() {
    return rope.dimensions();
  }

  /**
   * Sequences of up to so many tokens have the same rows; in longer ones rows change with the
   * length of the sequence as well as with the position.
   */
  public int mostTokensOfEqualRows() {
    return originalContext;
  }

  /**
   * Writes the row of one position: cosines in the left half, sines in the right.
   *
   * @param position from 0
   * @param sequenceLength positions of the sequence so far, this one and those of the same pass
   *     included
   * @param to takes {@link #dimensions} F32 numbers
   * @param offset byte offset in {@code to}
   */
  public void write(int position, int sequenceLength, MemorySegment to, long offset) {
    if (sequenceLength <= originalContext) {
      within.write(position, to, offset);
      return;
    }
    if (rope.scaling() instanceof Rope.Dynamic dynamic) {
      new RopeRows(RopeFrequencies.dynamic(rope, dynamic, sequenceLength), attentionFactor)
          .writeOnce(position, to, offset);
      return;
    }
    beyond.write(position, to, offset);
  }
}
