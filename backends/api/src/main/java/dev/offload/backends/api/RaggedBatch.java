package dev.offload.backends.api;

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
 */
public record RaggedBatch(
    int sequences,
    int tokens,
    int maxBlocks,
    int longestContext,
    Indices rowStarts,
    Indices contextLengths,
    Indices blockTable,
    Indices slots) {}
