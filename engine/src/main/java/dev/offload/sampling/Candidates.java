package dev.offload.sampling;

import java.util.Arrays;

/**
 * Tokens that may be chosen, with their logits, in one {@code long} each: the logit in an order
 * that integers share, then the inverted id, so that larger means likelier and, among equals, lower
 * id.
 */
final class Candidates {
  private static final int INITIAL_CAPACITY = 256;

  private long[] keys;
  private int size;

  private Candidates(int capacity) {
    keys = new long[capacity];
  }

  static Candidates growing() {
    return new Candidates(INITIAL_CAPACITY);
  }

  static Candidates bounded(int capacity) {
    return new Candidates(capacity);
  }

  int size() {
    return size;
  }

  void add(int token, float logit) {
    if (size == keys.length) {
      keys = Arrays.copyOf(keys, 2 * size);
    }
    keys[size++] = key(token, logit);
  }

  /** Makes a heap with the least candidate on top. */
  void heapify() {
    for (int i = size / 2 - 1; i >= 0; i--) {
      siftDown(i);
    }
  }

  /** The least logit of the heap. */
  float least() {
    return logit(keys[0]);
  }

  /** Takes the token in place of the least one of the heap if it is better. */
  void replaceLeast(int token, float logit) {
    long key = key(token, logit);
    if (key > keys[0]) {
      keys[0] = key;
      siftDown(0);
    }
  }

  private void siftDown(int start) {
    int i = start;
    long moving = keys[i];
    for (int child = 2 * i + 1; child < size; child = 2 * i + 1) {
      if (child + 1 < size && keys[child + 1] < keys[child]) {
        child++;
      }
      if (moving <= keys[child]) {
        break;
      }
      keys[i] = keys[child];
      i = child;
    }
    keys[i] = moving;
  }

  /** Sorts; after this rank 0 is the likeliest. */
  void sort() {
    Arrays.sort(keys, 0, size);
  }

  int token(int rank) {
    return ~(int) keys[size - 1 - rank];
  }

  float logit(int rank) {
    return logit(keys[size - 1 - rank]);
  }

  private static long key(int token, float logit) {
    int bits = Float.floatToRawIntBits(logit + 0f); // -0 becomes 0: they are equal logits
    int ordered = bits ^ ((bits >> 31) & 0x7fffffff);
    return (long) ordered << 32 | Integer.toUnsignedLong(~token);
  }

  private static float logit(long key) {
    int ordered = (int) (key >> 32);
    return Float.intBitsToFloat(ordered ^ ((ordered >> 31) & 0x7fffffff));
  }
}
