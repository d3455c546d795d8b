package dev.offload.planner;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Places pieces one behind the other in a circular buffer, each contiguous. The oldest pieces give
 * way. Not thread-safe.
 *
 * @param <T> what is remembered of a piece
 */
final class RingAllocator<T> {
  private record Piece<T>(long begin, long end, T owner) {}

  /**
   * Where a piece went.
   *
   * @param offset its first byte
   * @param displaced owners of the pieces that lay there, oldest first
   */
  record Place<T>(long offset, List<T> displaced) {}

  private final long capacity;
  private final Deque<Piece<T>> pieces = new ArrayDeque<>();
  private long next;

  RingAllocator(long capacity) {
    this.capacity = capacity;
  }

  /**
   * Places a piece.
   *
   * @throws IllegalArgumentException if it is larger than the whole ring
   */
  Place<T> place(long bytes, T owner) {
    if (bytes > capacity) {
      throw new IllegalArgumentException(
          "a piece of " + bytes + " bytes does not fit a ring of " + capacity);
    }
    List<T> displaced = wouldDisplace(bytes);
    displaced.forEach(_ -> pieces.removeFirst());
    long begin = begin(bytes);
    next = begin + bytes;
    pieces.addLast(new Piece<>(begin, next, owner));
    return new Place<>(begin, displaced);
  }

  /** Owners of the pieces that a piece of this size would displace, oldest first. */
  List<T> wouldDisplace(long bytes) {
    long begin = begin(bytes);
    List<T> displaced = new ArrayList<>();
    for (Piece<T> piece : pieces) {
      boolean skipped = begin == 0 && next > 0 && piece.begin() >= next;
      boolean overlaps = piece.begin() < begin + bytes && piece.end() > begin;
      if (!skipped && !overlaps) {
        break;
      }
      displaced.add(piece.owner());
    }
    return displaced;
  }

  private long begin(long bytes) {
    return next + bytes > capacity ? 0 : next;
  }
}
