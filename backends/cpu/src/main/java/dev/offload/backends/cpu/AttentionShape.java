package dev.offload.backends.cpu;

import dev.offload.backends.api.AttentionSpec;

/**
 * Sizes by which attention is cut into tasks. They follow from the shapes of the operands alone,
 * never from the number of threads, so that the order of all sums is fixed.
 *
 * @param groupHeads query heads that share a KV head
 * @param blockTokens tokens per KV block
 * @param tileRows rows that one task computes
 * @param panelTokens tokens whose keys and values are converted at a time, whole blocks
 * @param spanTokens tokens after which a partial softmax ends and is merged into the total
 */
record AttentionShape(
    AttentionSpec spec,
    int headDim,
    int valueDim,
    int kvHeads,
    int groupHeads,
    int blockTokens,
    int tileRows,
    int panelTokens,
    int spanTokens) {

  /**
   * Query vectors per task: enough to share the conversion of keys, few enough to skip most of what
   * causality hides from them; a multiple of the rows of {@link PanelProduct}'s tiles for the usual
   * groups.
   */
  private static final int TILE_QUERIES = 96;

  /** With 64 dimensions, 16 KiB of keys: half of a small L1 cache. */
  private static final int PANEL_TOKENS = 64;

  private static final int PANELS_PER_SPAN = 4;

  /**
   * The sizes for a batch.
   *
   * @param mostRows of one sequence, or of some that share a prefix
   */
  static AttentionShape of(AttentionSpec spec, KvBlockLayout layout, int mostRows) {
    int group = spec.heads() / layout.heads();
    int blocks = (PANEL_TOKENS + layout.blockTokens() - 1) / layout.blockTokens();
    int panel = blocks * layout.blockTokens();
    return new AttentionShape(
        spec,
        layout.headDim(),
        layout.valueDim(),
        layout.heads(),
        group,
        layout.blockTokens(),
        Math.clamp(mostRows, 1, Math.max(1, TILE_QUERIES / group)),
        panel,
        PANELS_PER_SPAN * panel);
  }

  /** Query vectors that one task has at a time: those of a full tile, or of several heads. */
  int tileQueries() {
    return Math.max(tileRows * groupHeads, Math.min(TILE_QUERIES, kvHeads * groupHeads));
  }

  /** KV heads that one task can compute for so many rows. */
  int headsAtOnce(int rows) {
    return Math.clamp(tileQueries() / (rows * groupHeads), 1, kvHeads);
  }

  /** Distance between rows of scores of so many tokens: whole vectors, and whole tiles of them. */
  static int scoreStride(int tokens) {
    int vectors = Lanes.padded(tokens) / Lanes.COUNT;
    int strip = PanelProduct.STRIP_VECTORS;
    return Lanes.COUNT * (vectors <= 2 ? vectors : (vectors + strip - 1) / strip * strip);
  }

  /** Distance between rows of scores of a full panel. */
  int panelStride() {
    return scoreStride(panelTokens);
  }

  /** Distance between values. */
  int valueStride() {
    return Lanes.padded(valueDim);
  }

  /** First position that a token sees. */
  int firstVisible(int position) {
    return spec.window() == 0 ? 0 : Math.max(0, position - spec.window() + 1);
  }

  /** The first of the rows at adjacent positions that no longer sees the given position. */
  int firstRowBeyond(int position, int firstPosition, int rows) {
    return spec.window() == 0
        ? rows
        : (int) Math.min(rows, (long) position + spec.window() - firstPosition);
  }
}
