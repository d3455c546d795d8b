package dev.offload.backends.cpu;

import dev.offload.backends.api.RaggedBatch;

/** A ragged batch as kernels see it: read out of device memory and checked. */
final class SequenceTable {

  private final int sequences;
  private final int maxBlocks;
  private final int[] rowStarts;
  private final int[] contextLengths;
  private final int[] blockTable;

  private SequenceTable(RaggedBatch batch) {
    sequences = batch.sequences();
    maxBlocks = batch.maxBlocks();
    rowStarts = CpuOperands.array(batch.rowStarts(), sequences + 1);
    contextLengths = CpuOperands.array(batch.contextLengths(), sequences);
    blockTable = CpuOperands.array(batch.blockTable(), sequences * maxBlocks);
  }

  /**
   * Reads the table.
   *
   * @throws IllegalStateException if rows and contexts contradict each other
   */
  static SequenceTable read(RaggedBatch batch, int blockTokens) {
    SequenceTable table = new SequenceTable(batch);
    table.check(batch.tokens(), blockTokens);
    return table;
  }

  private void check(int tokens, int blockTokens) {
    if (rowStarts[0] != 0 || rowStarts[sequences] != tokens) {
      throw new IllegalStateException(
          "rows of a batch of %d tokens go from %d to %d"
              .formatted(tokens, rowStarts[0], rowStarts[sequences]));
    }
    for (int s = 0; s < sequences; s++) {
      long capacity = (long) maxBlocks * blockTokens;
      if (rows(s) < 0 || rows(s) > contextLengths[s] || contextLengths[s] > capacity) {
        throw new IllegalStateException(
            "sequence %d has %d rows and a context of %d tokens in at most %d blocks of %d"
                .formatted(s, rows(s), contextLengths[s], maxBlocks, blockTokens));
      }
    }
  }

  int sequences() {
    return sequences;
  }

  /** Index in the batch of the first row of sequence s. */
  int firstRow(int s) {
    return rowStarts[s];
  }

  /** Rows of sequence s in this batch. */
  int rows(int s) {
    return rowStarts[s + 1] - rowStarts[s];
  }

  /** Most rows of one sequence. */
  int mostRows() {
    int most = 0;
    for (int s = 0; s < sequences; s++) {
      most = Math.max(most, rows(s));
    }
    return most;
  }

  /** Position in its sequence of the first row of sequence s. */
  int firstPosition(int s) {
    return contextLengths[s] - rows(s);
  }

  /** The cache block that holds a position of sequence s. */
  int block(int s, int blockIndex) {
    return blockTable[s * maxBlocks + blockIndex];
  }
}
