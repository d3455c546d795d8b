package dev.offload.engine.pass;

/**
 * Where the parts of a micro-batch's input lie in its host and device buffers, for given numbers of
 * tokens and sequences. All offsets are multiples of 64 bytes.
 *
 * @param embeddings token rows, [tokens, embedding width] F32
 * @param positions learned position rows, [tokens, hidden] F32; empty without a position table
 * @param rotations per distinct rope [tokens, dimensions] F32, one behind the other
 * @param rowStarts [sequences + 1]
 * @param contextLengths [sequences]
 * @param blockTable [sequences, maxBlocks]
 * @param slots [tokens]
 * @param bytes all together
 */
record BatchLayout(
    long embeddings,
    long positions,
    long rotations,
    long rowStarts,
    long contextLengths,
    long blockTable,
    long slots,
    long bytes) {

  /**
   * @param rotationFloats dimensions of all distinct ropes together
   */
  static BatchLayout of(
      int tokens,
      int sequences,
      int maxBlocks,
      int embeddingWidth,
      int positionWidth,
      int rotationFloats) {
    long positions = align(4L * tokens * embeddingWidth);
    long rotations = positions + align(4L * tokens * positionWidth);
    long rowStarts = rotations + align(4L * tokens * rotationFloats);
    long contextLengths = rowStarts + align(4L * (sequences + 1));
    long blockTable = contextLengths + align(4L * sequences);
    long slots = blockTable + align(4L * sequences * maxBlocks);
    return new BatchLayout(
        0,
        positions,
        rotations,
        rowStarts,
        contextLengths,
        blockTable,
        slots,
        slots + align(4L * tokens));
  }

  private static long align(long bytes) {
    return (bytes + 63) / 64 * 64;
  }
}
