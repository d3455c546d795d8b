package dev.offload.sampling;

import java.lang.foreign.MemorySegment;
import java.util.Random;

/** Rows of logits for tests. */
final class Rows {
  private Rows() {}

  static MemorySegment of(float... logits) {
    return MemorySegment.ofArray(logits);
  }

  static LogitsRow row(float... logits) {
    return new LogitsRow(of(logits), logits.length);
  }

  static float[] random(int size, double spread, long seed) {
    Random random = new Random(seed);
    float[] logits = new float[size];
    for (int i = 0; i < size; i++) {
      logits[i] = (float) (random.nextGaussian() * spread);
    }
    return logits;
  }
}
