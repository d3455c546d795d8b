package dev.offload.backends.api;

import java.util.List;

/**
 * Which sequences the rows of a micro-batch belong to. Rows of one sequence are adjacent and in
 * order; nothing is padded. The last row of sequence s is its token at position {@code
 * contextLengths[s] - 1}.
 *
 * @param sequences number of sequences S
 * @param tokens number of rows T
 * @param maxBlocks columns of the block table
 * @param longestContext largest context length, a hint for launch sizes
 * @param rowStarts S + 1 first rows, the last is T
 * @param contextLengths S numbers of tokens in the cache, those of this batch included
 * @param blockTable [S, maxBlocks]: the cache blocks of each sequence in order
 * @param slots T positions in the cache: {@code block * blockTokens + index in block}
 * @param prefixes runs of sequences whose caches begin with the same blocks, ascending and not
 *     overlapping; a hint, as the block table is whole without them
 */
public record RaggedBatch(
    int sequences,
    int tokens,
    int maxBlocks,
    int longestContext,
    Indices rowStarts,
    Indices contextLengths,
    Indices blockTable,
    Indices slots,
    List<SharedPrefix> prefixes) {
  public RaggedBatch {
    prefixes = List.copyOf(prefixes);
  }

  /**
   * Adjacent sequences whose rows in the block table begin with the same blocks. All their rows in
   * the batch lie behind these, so that each of them sees every shared token, unless it is out of
   * the window.
   *
   * @param firstSequence first of the batch
   * @param sequences how many, at least one
   * @param tokens tokens shared, a multiple of the block size
   */
  public record SharedPrefix(int firstSequence, int sequences, int tokens) {

    /** The sequence after the last. */
    public int end() {
      return firstSequence + sequences;
    }
  }
}
