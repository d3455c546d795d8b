package dev.offload.backends.cpu;

import dev.offload.backends.api.RaggedBatch;
import dev.offload.backends.api.RaggedBatch.SharedPrefix;
import java.util.Arrays;
import java.util.List;

/** A ragged batch as kernels see it: read out of device memory and checked. */
final class SequenceTable {

  private final int sequences;
  private final int maxBlocks;
  private final int[] rowStarts;
  private final int[] contextLengths;
  private final int[] blockTable;
  private final List<SharedPrefix> prefixes;

  private SequenceTable(RaggedBatch batch) {
    sequences = batch.sequences();
    maxBlocks = batch.maxBlocks();
    rowStarts = CpuOperands.array(batch.rowStarts(), sequences + 1);
    contextLengths = CpuOperands.array(batch.contextLengths(), sequences);
    blockTable = CpuOperands.array(batch.blockTable(), sequences * maxBlocks);
    prefixes = batch.prefixes();
  }

  /**
   * Reads the table.
   *
   * @throws IllegalStateException if rows, contexts and shared prefixes contradict each other
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
    for (SharedPrefix prefix : prefixes) {
      for (int s = prefix.firstSequence(); s < prefix.end(); s++) {
        checkShared(s, prefix, blockTokens);
      }
    }
  }

  private void checkShared(int s, SharedPrefix prefix, int blockTokens) {
    int blocks = prefix.tokens() / blockTokens;
    int own = s * maxBlocks;
    int first = prefix.firstSequence() * maxBlocks;
    if (!Arrays.equals(blockTable, own, own + blocks, blockTable, first, first + blocks)) {
      throw new IllegalStateException(
          "sequences %d and %d do not begin with the same %d blocks"
              .formatted(prefix.firstSequence(), s, blocks));
    }
    if (firstPosition(s) < prefix.tokens()) {
      throw new IllegalStateException(
          "sequence %d has a row at position %d, before the end of %d shared tokens"
              .formatted(s, firstPosition(s), prefix.tokens()));
    }
  }

  int sequences() {
    return sequences;
  }

  /** Index in the batch of the first row of sequence s; of all rows, their number. */
  int firstRow(int s) {
    return rowStarts[s];
  }

  /** Rows of sequence s in this batch. */
  int rows(int s) {
    return rowStarts[s + 1] - rowStarts[s];
  }

  /** Most rows of one sequence, or of one run of sequences with a shared prefix. */
  int mostRows() {
    int most = 0;
    for (int s = 0; s < sequences; s++) {
      most = Math.max(most, rows(s));
    }
    for (SharedPrefix prefix : prefixes) {
      most = Math.max(most, rowStarts[prefix.end()] - rowStarts[prefix.firstSequence()]);
    }
    return most;
  }

  /** Runs of sequences that begin with the same blocks, ascending. */
  List<SharedPrefix> prefixes() {
    return prefixes;
  }

  /** Tokens in the cache of sequence s, those of this batch included. */
  int contextLength(int s) {
    return contextLengths[s];
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
