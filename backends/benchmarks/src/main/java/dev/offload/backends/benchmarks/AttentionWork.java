package dev.offload.backends.benchmarks;

import dev.offload.backends.api.RaggedBatch;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Sequences of equal lengths; the rows of each are the last ones of its context.
 *
 * @param sequences number of sequences
 * @param rows rows of each
 * @param context tokens in the cache of each, its rows included
 */
record AttentionWork(int sequences, int rows, int context) {
  private static final Pattern TEXT = Pattern.compile("([1-9]\\d*)x([1-9]\\d*)@([1-9]\\d*)");

  AttentionWork {
    if (rows > context) {
      throw new IllegalArgumentException(
          "%d rows of a sequence do not fit its context of %d tokens".formatted(rows, context));
    }
  }

  /**
   * Work from text.
   *
   * @param text sequences x rows @ context, such as {@code 32x1@144}
   */
  static AttentionWork parse(String text) {
    Matcher matcher = TEXT.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "work '%s' is not sequences x rows @ context, such as 32x1@144".formatted(text));
    }
    return new AttentionWork(
        Integer.parseInt(matcher.group(1)),
        Integer.parseInt(matcher.group(2)),
        Integer.parseInt(matcher.group(3)));
  }

  /** The same sequences with all tokens of their contexts as rows. */
  AttentionWork whole() {
    return new AttentionWork(sequences, context, context);
  }

  int tokens() {
    return sequences * rows;
  }

  int blocksPerSequence(int blockTokens) {
    return Math.ceilDiv(context, blockTokens);
  }

  int blocks(int blockTokens) {
    return sequences * blocksPerSequence(blockTokens);
  }

  /** Pairs of a row and a token it sees, over all rows. */
  long pairs() {
    return (long) tokens() * (2L * context - rows + 1) / 2;
  }

  /** The batch; sequence s has the blocks from {@code s * blocksPerSequence} on. */
  RaggedBatch batch(OpenDevice device, int blockTokens) {
    int perSequence = blocksPerSequence(blockTokens);
    int[] rowStarts = new int[sequences + 1];
    Arrays.setAll(rowStarts, s -> s * rows);
    int[] contexts = new int[sequences];
    Arrays.fill(contexts, context);
    int[] table = new int[sequences * perSequence];
    Arrays.setAll(table, i -> i);
    int[] slots = new int[tokens()];
    Arrays.setAll(
        slots,
        row -> {
          int position = context - rows + row % rows;
          return row / rows * perSequence * blockTokens + position;
        });
    return new RaggedBatch(
        sequences,
        tokens(),
        perSequence,
        context,
        device.indices("row starts", rowStarts),
        device.indices("context lengths", contexts),
        device.indices("block table", table),
        device.indices("slots", slots));
  }
}
