package dev.offload.jobs.journal;

import java.util.Arrays;

/**
 * Where the records of rows are that finished ahead of the oldest unfinished row: 8 bytes per row
 * between the two. Not thread-safe.
 */
final class PlaceWindow {
  private static final long ABSENT = 0;

  private long[] places = new long[1024];
  private long first;

  /** The oldest row that is not there yet. */
  long first() {
    return first;
  }

  /** Notes where a row's record is; returns false if the row is there already. */
  boolean put(long row, long place) {
    if (row < first) {
      return false;
    }
    grow(row - first + 1);
    if (places[index(row)] != ABSENT) {
      return false;
    }
    places[index(row)] = place;
    return true;
  }

  boolean has(long row) {
    return row < first || (row - first < places.length && places[index(row)] != ABSENT);
  }

  /** Takes the place of the first row, or 0 if that row is not there yet. */
  long take() {
    long place = places[index(first)];
    if (place != ABSENT) {
      places[index(first)] = ABSENT;
      first++;
    }
    return place;
  }

  private void grow(long rows) {
    if (rows <= places.length) {
      return;
    }
    int length = Math.toIntExact(Math.max(rows, Math.min(2L * places.length, 1 << 30)));
    long[] larger = new long[Integer.highestOneBit(length - 1) << 1];
    for (long row = first; row < first + places.length; row++) {
      larger[(int) (row & (larger.length - 1))] = places[index(row)];
    }
    Arrays.fill(places, ABSENT);
    places = larger;
  }

  private int index(long row) {
    return (int) (row & (places.length - 1));
  }
}
