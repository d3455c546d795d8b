package dev.offload.moe;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.BitSet;

/**
 * The (token, choice) pairs of a pass sorted by expert: a stable counting sort. Owned by one thread
 * at a time; reused from layer to layer without allocating.
 */
public final class TokenRegrouping {
  private final int experts;
  private final int[] rows;
  private final int[] firstRow;
  private final int[] next;
  private int leadingRows;

  public TokenRegrouping(int experts) {
    this.experts = experts;
    this.rows = new int[experts];
    this.firstRow = new int[experts];
    this.next = new int[experts];
  }

  /**
   * Sorts.
   *
   * @param chosen [tokens · expertsPerToken] expert numbers as ints, token by token
   * @param leading experts whose rows come before those of all others
   * @param tokenOfRow receives, for each sorted row, the token it comes from
   * @param rowOfPair receives, for each (token, choice) pair, its sorted row
   * @throws IllegalStateException if an expert number is out of range
   */
  public void sort(
      MemorySegment chosen,
      int tokens,
      int expertsPerToken,
      BitSet leading,
      MemorySegment tokenOfRow,
      MemorySegment rowOfPair) {
    int pairs = tokens * expertsPerToken;
    Arrays.fill(rows, 0);
    for (int pair = 0; pair < pairs; pair++) {
      int expert = chosen.getAtIndex(JAVA_INT, pair);
      if (expert < 0 || expert >= experts) {
        throw new IllegalStateException(
            "token %d was routed to expert %d of %d"
                .formatted(pair / expertsPerToken, expert, experts));
      }
      rows[expert]++;
    }
    leadingRows = place(leading, true, 0);
    place(leading, false, leadingRows);
    for (int pair = 0; pair < pairs; pair++) {
      int row = next[chosen.getAtIndex(JAVA_INT, pair)]++;
      tokenOfRow.setAtIndex(JAVA_INT, row, pair / expertsPerToken);
      rowOfPair.setAtIndex(JAVA_INT, pair, row);
    }
  }

  /** Places the experts that lead, or all others, from a row on; returns the row behind them. */
  private int place(BitSet leading, boolean leads, int row) {
    for (int expert = 0; expert < experts; expert++) {
      if (leading.get(expert) == leads) {
        firstRow[expert] = row;
        next[expert] = row;
        row += rows[expert];
      }
    }
    return row;
  }

  /** Number of rows of the experts that lead; they are the first ones. */
  public int leadingRows() {
    return leadingRows;
  }

  /** First sorted row of an expert. */
  public int firstRow(int expert) {
    return firstRow[expert];
  }

  /** Number of rows of an expert. */
  public int rows(int expert) {
    return rows[expert];
  }
}
