package dev.offload.tensors.model;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Rows of cosines and sines for one set of frequencies. Rows of early positions are kept once
 * computed, a block at a time. Thread-safe.
 */
final class RopeRows {
  private static final int BLOCK_ROWS = 256;

  /** Positions up to here are kept: at most 16 MiB for 128 dimensions. */
  private static final int KEPT_ROWS = 1 << 15;

  private final float[] inverse;
  private final float factor;
  private final AtomicReferenceArray<float[]> blocks;

  /**
   * Rows.
   *
   * @param inverse inverse frequencies
   * @param factor multiplies cosines and sines
   */
  RopeRows(float[] inverse, float factor) {
    this.inverse = inverse;
    this.factor = factor;
    blocks = new AtomicReferenceArray<>(KEPT_ROWS / BLOCK_ROWS);
  }

  /** Writes a row that is kept for the next time. */
  void write(int position, MemorySegment to, long offset) {
    if (position >= KEPT_ROWS) {
      writeOnce(position, to, offset);
      return;
    }
    float[] block = blocks.get(position / BLOCK_ROWS);
    if (block == null) {
      block = block(position / BLOCK_ROWS * BLOCK_ROWS);
      blocks.set(position / BLOCK_ROWS, block);
    }
    int width = 2 * inverse.length;
    int start = position % BLOCK_ROWS * width;
    MemorySegment.copy(block, start, to, ValueLayout.JAVA_FLOAT_UNALIGNED, offset, width);
  }

  /** Writes a row that is needed only once. */
  void writeOnce(int position, MemorySegment to, long offset) {
    float[] row = new float[2 * inverse.length];
    compute(position, row, 0);
    MemorySegment.copy(row, 0, to, ValueLayout.JAVA_FLOAT_UNALIGNED, offset, row.length);
  }

  private float[] block(int firstPosition) {
    float[] block = new float[BLOCK_ROWS * 2 * inverse.length];
    for (int row = 0; row < BLOCK_ROWS; row++) {
      compute(firstPosition + row, block, row * 2 * inverse.length);
    }
    return block;
  }

  private void compute(int position, float[] row, int start) {
    for (int i = 0; i < inverse.length; i++) {
      float angle = position * inverse[i];
      row[start + i] = (float) Math.cos(angle) * factor;
      row[start + inverse.length + i] = (float) Math.sin(angle) * factor;
    }
  }
}
