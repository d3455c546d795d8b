package dev.offload.backends.cpu;

import dev.offload.backends.api.RaggedBatch.SharedPrefix;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Which rows of a batch one attention task computes: adjacent ones, of a single sequence, or of
 * several that share a prefix.
 *
 * @param firstRow of the batch
 * @param rows how many
 * @param sharedTokens tokens at the beginning that all rows see and that lie in the same blocks,
 *     whole panels; 0 where there is one sequence
 * @param parts the same rows by sequence, in order
 */
record TileRows(int firstRow, int rows, int sharedTokens, List<Part> parts) {

  /**
   * Rows of one sequence.
   *
   * @param sequence of the batch
   * @param first of the tile's rows
   * @param rows how many
   * @param firstPosition of the first row in its sequence
   */
  record Part(int sequence, int first, int rows, int firstPosition) {

    /** The position after the last row: no row sees it. */
    int end() {
      return firstPosition + rows;
    }
  }

  /** All rows of a batch, the tiles with the most work first, so that the last tasks are short. */
  static List<TileRows> of(SequenceTable table, AttentionShape shape) {
    List<TileRows> tiles = new ArrayList<>();
    int next = 0;
    for (SharedPrefix prefix : table.prefixes()) {
      int shared = sharedTokens(prefix, table, shape);
      if (shared > 0) {
        cutAlone(next, prefix.firstSequence(), table, shape, tiles);
        cut(prefix.firstSequence(), prefix.end(), shared, table, shape, tiles);
        next = prefix.end();
      }
    }
    cutAlone(next, table.sequences(), table, shape, tiles);
    tiles.sort(Comparator.comparingLong(tile -> -tile.work()));
    return tiles;
  }

  /** Whole panels, or 0 where a window hides some of them from a row. */
  private static int sharedTokens(SharedPrefix prefix, SequenceTable table, AttentionShape shape) {
    for (int s = prefix.firstSequence(); s < prefix.end(); s++) {
      if (shape.firstVisible(table.contextLength(s) - 1) > 0) {
        return 0;
      }
    }
    return prefix.tokens() / shape.panelTokens() * shape.panelTokens();
  }

  private static void cutAlone(
      int first, int end, SequenceTable table, AttentionShape shape, List<TileRows> tiles) {
    for (int s = first; s < end; s++) {
      cut(s, s + 1, 0, table, shape, tiles);
    }
  }

  private static void cut(
      int firstSequence,
      int endSequence,
      int shared,
      SequenceTable table,
      AttentionShape shape,
      List<TileRows> tiles) {
    int endRow = table.firstRow(endSequence);
    int sequence = firstSequence;
    for (int row = table.firstRow(firstSequence); row < endRow; row += shape.tileRows()) {
      int end = Math.min(row + shape.tileRows(), endRow);
      List<Part> parts = new ArrayList<>();
      for (int at = row; at < end; ) {
        while (table.firstRow(sequence + 1) <= at) {
          sequence++;
        }
        int rows = Math.min(end, table.firstRow(sequence + 1)) - at;
        int position = table.firstPosition(sequence) + at - table.firstRow(sequence);
        parts.add(new Part(sequence, at - row, rows, position));
        at += rows;
      }
      tiles.add(new TileRows(row, end - row, shared, parts));
    }
  }

  /** The position from which on no row sees anything. */
  int end() {
    int end = 0;
    for (Part part : parts) {
      end = Math.max(end, part.end());
    }
    return end;
  }

  private long work() {
    long work = 0;
    for (Part part : parts) {
      work += (long) part.rows * part.end();
    }
    return work;
  }
}
