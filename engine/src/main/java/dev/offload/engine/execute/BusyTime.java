package dev.offload.engine.execute;

import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * How long something was busy, told in pieces that may come out of order and overlap; what overlaps
 * counts once. Not thread-safe.
 */
final class BusyTime {
  /** How many pieces are kept apart; what lies before them is only added up. */
  private static final int MEMORY = 256;

  private final NavigableMap<Long, Long> ends = new TreeMap<>();
  private long forgotten = Long.MIN_VALUE;
  private long nanos;

  /** Adds the time from one instant to another; nothing if that is before. */
  void add(long begin, long end) {
    long from = Math.max(begin, forgotten);
    if (end <= from) {
      return;
    }
    long to = end;
    Map.Entry<Long, Long> before = ends.floorEntry(to);
    while (before != null && before.getValue() >= from) {
      from = Math.min(from, before.getKey());
      to = Math.max(to, before.getValue());
      nanos -= before.getValue() - before.getKey();
      ends.remove(before.getKey());
      before = ends.floorEntry(to);
    }
    ends.put(from, to);
    nanos += to - from;
    if (ends.size() > MEMORY) {
      forgotten = ends.pollFirstEntry().getValue();
    }
  }

  /** All of it so far. */
  long nanos() {
    return nanos;
  }
}
