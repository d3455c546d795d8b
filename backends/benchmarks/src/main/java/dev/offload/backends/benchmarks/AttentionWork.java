package dev.offload.backends.benchmarks;

import dev.offload.backends.api.RaggedBatch;
import dev.offload.backends.api.RaggedBatch.SharedPrefix;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Sequences of equal lengths; the rows of each are the last ones of its context.
 *
 * @param sequences number of sequences
 * @param rows rows of each
 * @param context tokens in the cache of each, its rows included
 * @param shared tokens of that at the beginning that are the same for all, whole blocks
 */
record AttentionWork(int sequences, int rows, int context, int shared) {
  private static final Pattern TEXT =
      Pattern.compile("([1-9]\\d*)x([1-9]\\d*)@([1-9]\\d*)(?:/([1-9]\\d*))?");

  AttentionWork {
    if (rows > context - shared) {
      throw new IllegalArgumentException(
          "%d rows of a sequence do not fit its context of %d tokens, %d of them shared"
              .formatted(rows, context, shared));
    }
  }

  /**
   * Work from text.
   *
   * @param text sequences x rows @ context, such as {@code 32x1@144}; or that / shared tokens
   */
  static AttentionWork parse(String text) {
    Matcher matcher = TEXT.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "work '%s' is not sequences x rows @ context, such as 32x1@144, or 32x1@144/128"
              .formatted(text));
    }
    return new AttentionWork(
        Integer.parseInt(matcher.group(1)),
        Integer.parseInt(matcher.group(2)),
        Integer.parseInt(matcher.group(3)),
        matcher.group(4) == null ? 0 : Integer.parseInt(matcher.group(4)));
  }

  /** One sequence that fills all blocks. */
  AttentionWork filling(int blockTokens) {
    int tokens = blocks(blockTokens) * blockTokens;
    return new AttentionWork(1, tokens, tokens, 0);
  }

  int tokens() {
    return sequences * rows;
  }

  private int blocksPerSequence(int blockTokens) {
    return Math.ceilDiv(context, blockTokens);
  }

  int blocks(int blockTokens) {
    int sharedBlocks = shared / blockTokens;
    return sharedBlocks + sequences * (blocksPerSequence(blockTokens) - sharedBlocks);
  }

  /** Tokens in the cache. */
  long cachedTokens() {
    return shared + (long) sequences * (context - shared);
  }

  /** Pairs of a row and a token it sees, over all rows. */
  long pairs() {
    return (long) tokens() * (2L * context - rows + 1) / 2;
  }

  /** The batch; shared blocks come first, then those of one sequence after the other. */
  RaggedBatch batch(OpenDevice device, int blockTokens) {
    int perSequence = blocksPerSequence(blockTokens);
    int[] rowStarts = new int[sequences + 1];
    Arrays.setAll(rowStarts, s -> s * rows);
    int[] contexts = new int[sequences];
    Arrays.fill(contexts, context);
    int[] table = new int[sequences * perSequence];
    Arrays.setAll(table, i -> block(i / perSequence, i % perSequence, blockTokens));
    int[] slots = new int[tokens()];
    Arrays.setAll(
        slots,
        row -> {
          int position = context - rows + row % rows;
          return block(row / rows, position / blockTokens, blockTokens) * blockTokens
              + position % blockTokens;
        });
    return new RaggedBatch(
        sequences,
        tokens(),
        perSequence,
        context,
        device.indices("row starts", rowStarts),
        device.indices("context lengths", contexts),
        device.indices("block table", table),
        device.indices("slots", slots),
        shared == 0 ? List.of() : List.of(new SharedPrefix(0, sequences, shared)));
  }

  private int block(int sequence, int index, int blockTokens) {
    int sharedBlocks = shared / blockTokens;
    return index < sharedBlocks
        ? index
        : index + sequence * (blocksPerSequence(blockTokens) - sharedBlocks);
  }
}
