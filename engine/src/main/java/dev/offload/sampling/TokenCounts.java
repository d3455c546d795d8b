package dev.offload.sampling;

import java.util.Arrays;

/**
 * How often each token occurs in the output, and which ones occur in the prompt: a hash table with
 * open addressing, in order of first occurrence when walked. Not thread-safe.
 */
final class TokenCounts {
  private static final int INITIAL_CAPACITY = 64;

  private int[] tokens = new int[INITIAL_CAPACITY];
  private int[] counts = new int[INITIAL_CAPACITY];
  private int[] slots = emptySlots(2 * INITIAL_CAPACITY);
  private int size;

  /** Number of different tokens seen. */
  int size() {
    return size;
  }

  int token(int entry) {
    return tokens[entry];
  }

  /** Occurrences in the output; 0 if the token was seen in the prompt only. */
  int count(int entry) {
    return counts[entry];
  }

  void seenInPrompt(int token) {
    entry(token);
  }

  void generated(int token) {
    int entry = entry(token); // may replace the array of counts
    counts[entry]++;
  }

  private int entry(int token) {
    int slot = slotOf(token);
    if (slots[slot] >= 0) {
      return slots[slot];
    }
    if (size == tokens.length) {
      grow();
      slot = slotOf(token);
    }
    tokens[size] = token;
    slots[slot] = size;
    return size++;
  }

  private int slotOf(int token) {
    int mask = slots.length - 1;
    int slot = ((token * 0x9e3779b9) >>> 7) & mask;
    while (slots[slot] >= 0 && tokens[slots[slot]] != token) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  private void grow() {
    tokens = Arrays.copyOf(tokens, 2 * size);
    counts = Arrays.copyOf(counts, 2 * size);
    slots = emptySlots(4 * size);
    for (int entry = 0; entry < size; entry++) {
      slots[slotOf(tokens[entry])] = entry;
    }
  }

  private static int[] emptySlots(int length) {
    int[] empty = new int[length];
    Arrays.fill(empty, -1);
    return empty;
  }
}
