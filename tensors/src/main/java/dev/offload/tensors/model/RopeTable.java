package dev.offload.tensors.model;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Cosines and sines of a rotary embedding, in the arithmetic of transformers: frequencies and
 * angles in binary32. Thread-safe.
 */
public final class RopeTable {
  private final Rope rope;
  private final int frequencies;

  /** Frequencies for every length, or for lengths within the original context. */
  private final float[] inverse;

  /** Frequencies beyond the original context, where they do not depend on the length itself. */
  private final float[] inverseBeyond;

  private final int originalContext;
  private final float attentionFactor;

  /** A table for a rope, which must rotate at least two dimensions. */
  public RopeTable(Rope rope) {
    if (rope.dimensions() < 2) {
      throw new IllegalArgumentException("rope rotates " + rope.dimensions() + " dimensions");
    }
    this.rope = rope;
    frequencies = rope.dimensions() / 2;
    RopeFrequencies all = new RopeFrequencies(rope);
    inverse = all.within();
    inverseBeyond = all.beyond();
    originalContext = all.originalContext();
    attentionFactor = all.attentionFactor();
  }

  /** Floats in one row: as many as dimensions are rotated. */
  public int dimensions() {
    return rope.dimensions();
  }

  /** Whether rows change with the length of the sequence as well as with the position. */
  public boolean dependsOnLength() {
    return originalContext < Integer.MAX_VALUE;
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
    float[] used = frequencies(sequenceLength);
    for (int i = 0; i < frequencies; i++) {
      float angle = position * used[i];
      to.set(
          ValueLayout.JAVA_FLOAT_UNALIGNED,
          offset + (long) i * Float.BYTES,
          (float) Math.cos(angle) * attentionFactor);
      to.set(
          ValueLayout.JAVA_FLOAT_UNALIGNED,
          offset + (long) (frequencies + i) * Float.BYTES,
          (float) Math.sin(angle) * attentionFactor);
    }
  }

  private float[] frequencies(int sequenceLength) {
    if (sequenceLength <= originalContext) {
      return inverse;
    }
    return rope.scaling() instanceof Rope.Dynamic dynamic
        ? RopeFrequencies.dynamic(rope, dynamic, sequenceLength)
        : inverseBeyond;
  }
}
