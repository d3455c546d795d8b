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
 */
record Design(
    int sequences,
    int mostSequences,
    int groups,
    int microBatchTokens,
    long piece,
    int ringPieces,
    boolean disk) {
  /**
   * A ring that holds this many of the largest granule lets one arrive while another is used. If
   * granules are expanded, the place they are expanded to counts as one: what is in use is there,
   * and the ring only holds what arrives.
   */
  static final int LEAST_RING_PIECES = 3;

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
