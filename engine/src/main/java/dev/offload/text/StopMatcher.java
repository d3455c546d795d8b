package dev.offload.text;

import java.util.List;

/**
 * Finds the first of several texts in a stream of characters: the one that ends first, and of those
 * the one that began first, however the stream is cut. One Knuth-Morris-Pratt automaton per text.
 * Immutable; the states are the caller's.
 */
final class StopMatcher {
  private final List<String> stops;
  private final int[][] fallbacks;

  /**
   * @param stops texts of at least one character
   */
  StopMatcher(List<String> stops) {
    this.stops = List.copyOf(stops);
    fallbacks = stops.stream().map(StopMatcher::fallbacks).toArray(int[][]::new);
  }

  /** For each length of a matched prefix, the next shorter prefix that is its suffix. */
  private static int[] fallbacks(String stop) {
    int[] fallback = new int[stop.length() + 1];
    int matched = 0;
    for (int i = 1; i < stop.length(); i++) {
      while (matched > 0 && stop.charAt(matched) != stop.charAt(i)) {
        matched = fallback[matched];
      }
      if (stop.charAt(matched) == stop.charAt(i)) {
        matched++;
      }
      fallback[i + 1] = matched;
    }
    return fallback;
  }

  /** The state before the first character: for each stop text the characters matched so far. */
  int[] start() {
    return new int[stops.size()];
  }

  /**
   * Takes one character.
   *
   * @return length of the stop text that ends with it (the longest, if several do), or 0
   */
  int step(int[] matched, char next) {
    int longest = 0;
    for (int i = 0; i < matched.length; i++) {
      matched[i] = step(i, matched[i], next);
      if (matched[i] == stops.get(i).length()) {
        longest = Math.max(longest, matched[i]);
        matched[i] = fallbacks[i][matched[i]];
      }
    }
    return longest;
  }

  private int step(int stop, int matched, char next) {
    String text = stops.get(stop);
    int length = matched;
    while (length > 0 && text.charAt(length) != next) {
      length = fallbacks[stop][length];
    }
    return text.charAt(length) == next ? length + 1 : length;
  }

  /** How many of the last characters may be the beginning of a stop text. */
  static int heldBack(int[] matched) {
    int most = 0;
    for (int length : matched) {
      most = Math.max(most, length);
    }
    return most;
  }
}
