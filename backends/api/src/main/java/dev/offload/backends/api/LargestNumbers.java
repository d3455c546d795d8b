package dev.offload.backends.api;

import java.util.Arrays;

/**
 * Numbers of a row in the order of {@link Operations#largest}: the larger first, and of equal ones
 * the lower column. They are collected and sorted; or the first of them become a heap, which then
 * keeps as many of the largest as it has. A number and its column are one {@code long}: the
 * number's bits in an order that integers share, NaN above all, then the inverted column.
 */
public final class LargestNumbers {
  private long[] keys;
  private int size;

  /**
   * @param expected how many will be collected; there may be more
   */
  public LargestNumbers(int expected) {
    keys = new long[Math.max(1, expected)];
  }

  public int size() {
    return size;
  }

  public void clear() {
    size = 0;
  }

  /** Collects one more. */
  public void add(float number, int column) {
    if (size == keys.length) {
      keys = Arrays.copyOf(keys, 2 * size);
    }
    keys[size++] = key(number, column);
  }

  /** Makes a heap of those collected, with the least on top. */
  public void heapify() {
    for (int i = size / 2 - 1; i >= 0; i--) {
      siftDown(i);
    }
  }

  /** The least number of the heap. */
  public float least() {
    return number(keys[0]);
  }

  /** Takes the number into the heap in place of the least one if it comes before that. */
  public void offer(float number, int column) {
    long key = key(number, column);
    if (key > keys[0]) {
      keys[0] = key;
      siftDown(0);
    }
  }

  /** Sorts; after this rank 0 is the largest, and they are no heap any more. */
  public void sort() {
    Arrays.sort(keys, 0, size);
  }

  /** The number of a rank. */
  public float number(int rank) {
    return number(keys[size - 1 - rank]);
  }

  /** The column of a rank. */
  public int column(int rank) {
    return ~(int) keys[size - 1 - rank];
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

  private static long key(float number, int column) {
    int bits = Float.floatToIntBits(number + 0f); // one NaN, and −0 becomes 0
    int ordered = bits ^ ((bits >> 31) & 0x7fffffff);
    return (long) ordered << 32 | Integer.toUnsignedLong(~column);
  }

  private static float number(long key) {
    int ordered = (int) (key >> 32);
    return Float.intBitsToFloat(ordered ^ ((ordered >> 31) & 0x7fffffff));
  }
}
