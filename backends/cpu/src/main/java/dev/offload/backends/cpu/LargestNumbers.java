package dev.offload.backends.cpu;

import java.util.Arrays;

/**
 * As many of the largest numbers of a row as there is room for. A number and its column are one
 * {@code long}: the number's bits in an order that integers share, NaN above all, then the inverted
 * column, so that of equal numbers the lower column is larger.
 */
final class LargestNumbers {
  private final long[] keys;
  private int size;

  LargestNumbers(int capacity) {
    keys = new long[capacity];
  }

  int capacity() {
    return keys.length;
  }

  void clear() {
    size = 0;
  }

  /** Adds one of the first. */
  void add(float number, int column) {
    keys[size++] = key(number, column);
  }

  /** Makes a heap of the first ones with the least on top. */
  void heapify() {
    for (int i = size / 2 - 1; i >= 0; i--) {
      siftDown(i);
    }
  }

  /** The least number of the heap. */
  float least() {
    return number(keys[0]);
  }

  /** Takes the number in place of the least one if it is larger. */
  void offer(float number, int column) {
    long key = key(number, column);
    if (key > keys[0]) {
      keys[0] = key;
      siftDown(0);
    }
  }

  /** Writes the numbers and their columns, the largest first; they are no heap afterwards. */
  void sort(float[] numbers, int[] columns) {
    Arrays.sort(keys);
    for (int rank = 0; rank < keys.length; rank++) {
      long key = keys[keys.length - 1 - rank];
      numbers[rank] = number(key);
      columns[rank] = ~(int) key;
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
