package dev.offload.planner.search;

/**
 * What is chosen before things are placed.
 *
 * @param sequences in flight for which the cache has room
 * @param mostSequences that may be in flight if they are shorter than expected
 * @param groups micro-batches, each with its own KV group
 * @param microBatchTokens rows of a micro-batch
 * @param piece bytes of the largest unit that may pass through the ring; 0 if all weights are
 *     resident
 * @param ringPieces how many pieces the ring holds, and what weights are read from disk into
 * @param disk whether weights may be read from disk
 * @param leastHostExperts experts of each layer that the host computes, at least
 * @param mostHostExperts and at most: in each layer as many, for the device waits in each for them
 */
record Design(
    int sequences,
    int mostSequences,
    int groups,
    int microBatchTokens,
    long piece,
    int ringPieces,
    boolean disk,
    int leastHostExperts,
    int mostHostExperts) {
  /**
   * A ring that holds this many of the largest granule lets one arrive while another is used. If
   * granules are expanded, the place they are expanded to counts as one: what is in use is there,
   * and the ring only holds what arrives.
   */
  static final int LEAST_RING_PIECES = 3;

  /** Rows of a micro-batch that are not tried to be more. */
  static final int MOST_TOKENS = 1 << 24;

  /** A design whose host computes no experts. */
  Design(
      int sequences,
      int mostSequences,
      int groups,
      int microBatchTokens,
      long piece,
      int ringPieces,
      boolean disk) {
    this(sequences, mostSequences, groups, microBatchTokens, piece, ringPieces, disk, 0, 0);
  }

  /** The same, but the host computes at least and at most so many experts of each layer. */
  Design withHostExperts(int least, int most) {
    return new Design(
        sequences, mostSequences, groups, microBatchTokens, piece, ringPieces, disk, least, most);
  }

  /** The same with so many rows in a micro-batch. */
  Design withMicroBatchTokens(int tokens) {
    return new Design(
        sequences,
        mostSequences,
        groups,
        tokens,
        piece,
        ringPieces,
        disk,
        leastHostExperts,
        mostHostExperts);
  }

  /** Whether units of a class may be away from the device, on the host or on disk. */
  boolean moves(UnitClass each) {
    return streams() && each.pieceBytes() <= piece;
  }

  /** Whether it is decided how many experts the host computes. */
  boolean hasWholeHostExperts() {
    return leastHostExperts == mostHostExperts;
  }

  /** Whether the host computes experts, for which it needs room. */
  boolean hasHostExperts() {
    return mostHostExperts > 0;
  }

  boolean streams() {
    return piece > 0;
  }

  /** Device bytes of the ring and of what is expanded from it. */
  long ringBytes() {
    return ringPieces * piece;
  }

  /** Host bytes through which weights come from files. */
  long stagingBytes() {
    return disk ? ringPieces * piece : 0;
  }

  int passTokens() {
    return groups * microBatchTokens;
  }
}
