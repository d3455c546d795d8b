package dev.offload.backends.cpu;

import dev.offload.tensors.DType;
import java.util.Arrays;

/**
 * Scratch and steps of one attention task: some adjacent rows of a sequence, and in them the query
 * heads that share one KV head. Owned by one task at a time.
 */
final class AttentionTile {
  /**
   * Which rows.
   *
   * @param sequence of the batch
   * @param firstRow of the batch
   * @param rows how many
   * @param firstPosition of the first row in its sequence
   */
  record Rows(int sequence, int firstRow, int rows, int firstPosition) {

    /** The position after the last row: no row sees it. */
    int end() {
      return firstPosition + rows;
    }
  }

  private final AttentionShape shape;
  private final float[] queries;
  private final float[] keys;
  private final float[] values;
  private final float[] blockKeys;
  private final float[] scores;
  private final float[] capScratch;
  private final float[] outRow;

  AttentionTile(AttentionShape shape) {
    this.shape = shape;
    queries = new float[shape.tileQueries() * shape.headDim()];
    keys = new float[shape.headDim() * shape.panelStride()];
    values = new float[shape.panelTokens() * shape.valueStride()];
    blockKeys = new float[shape.headDim() * shape.blockTokens()];
    scores = new float[shape.tileQueries() * shape.panelStride()];
    capScratch = new float[shape.panelStride()];
    outRow = new float[shape.groupHeads() * shape.valueDim() + Lanes.COUNT];
  }

  /** Reads the query vectors, row by row and head by head, and scales them. */
  void loadQueries(MatrixRows from, Rows tile, int kvHead) {
    int width = shape.groupHeads() * shape.headDim();
    for (int r = 0; r < tile.rows; r++) {
      from.load(tile.firstRow + r, kvHead * width, width, queries, r * width);
    }
    float scale = shape.spec().scale();
    for (int i = 0; i < tile.rows * width; i++) {
      queries[i] *= scale;
    }
  }

  /**
   * Attends to the positions {@code from} to {@code from + spanTokens - 1}, as far as rows see
   * them.
   */
  void attend(
      KvCache cache, SequenceTable table, Rows tile, int kvHead, int from, AttentionState state) {
    int end = Math.min(from + shape.spanTokens(), tile.end());
    for (int panel = from; panel < end; panel += shape.panelTokens()) {
      int tokens = Math.min(shape.panelTokens(), end - panel);
      int firstRow = Math.max(0, panel - tile.firstPosition);
      int endRow = shape.firstRowBeyond(panel + tokens - 1, tile.firstPosition, tile.rows);
      if (firstRow < endRow) {
        int firstSeen = shape.firstVisible(tile.firstPosition + firstRow);
        int skipped = Math.max(0, firstSeen - panel);
        loadPanel(cache, table, tile.sequence, kvHead, panel, skipped, tokens);
        score(tile, firstRow, endRow, panel, tokens, state);
        int firstQuery = firstRow * shape.groupHeads();
        int stride = AttentionShape.scoreStride(tokens);
        state.addValues(
            firstQuery,
            (endRow - firstRow) * shape.groupHeads(),
            scores,
            firstQuery * stride + skipped,
            stride,
            values,
            skipped * shape.valueStride(),
            tokens - skipped);
      }
    }
  }

  /** Reads blocks; not those that lie wholly before the first token seen, which may be gone. */
  private void loadPanel(
      KvCache cache,
      SequenceTable table,
      int sequence,
      int kvHead,
      int panel,
      int skipped,
      int tokens) {
    KvBlockLayout layout = cache.layout();
    int size = layout.blockTokens();
    for (int token = skipped / size * size; token < tokens; token += size) {
      long block = cache.blockOffset(table.block(sequence, (panel + token) / size));
      loadKeys(cache, block + layout.keysOffset(kvHead), token);
      loadValues(cache, block + layout.valuesOffset(kvHead), token, Math.min(size, tokens - token));
    }
  }

  /**
   * Reads the keys of a block. In the panel the tokens of a vector lie together, [panel / lanes,
   * headDim, lanes]: where a block is a vector of tokens, that is the order of the cache.
   */
  private void loadKeys(KvCache cache, long offset, int token) {
    KvBlockLayout layout = cache.layout();
    int size = layout.blockTokens();
    int dims = layout.headDim();
    if (size == Lanes.COUNT) {
      RowCodec.load(cache.segment(), offset, layout.dtype(), keys, token * dims, size * dims);
      return;
    }
    RowCodec.load(cache.segment(), offset, layout.dtype(), blockKeys, 0, size * dims);
    for (int done = 0; done < size; ) {
      int lane = (token + done) % Lanes.COUNT;
      int run = Math.min(Lanes.COUNT - lane, size - done);
      int to = (token + done - lane) * dims + lane;
      for (int k = 0; k < dims; k++) {
        System.arraycopy(blockKeys, k * size + done, keys, to + k * Lanes.COUNT, run);
      }
      done += run;
    }
  }

  private void loadValues(KvCache cache, long offset, int token, int tokens) {
    DType dtype = cache.layout().dtype();
    int width = shape.valueDim();
    int stride = shape.valueStride();
    if (width == stride) {
      RowCodec.load(cache.segment(), offset, dtype, values, token * width, tokens * width);
      return;
    }
    RowCodec.load(cache.segment(), offset, dtype, tokens, width, values, token * stride, stride);
  }

  private void score(
      Rows tile, int firstRow, int endRow, int panel, int tokens, AttentionState state) {
    int group = shape.groupHeads();
    int stride = AttentionShape.scoreStride(tokens);
    int firstQuery = firstRow * group;
    int count = (endRow - firstRow) * group;
    Arrays.fill(scores, firstQuery * stride, (firstQuery + count) * stride, 0);
    PanelProduct.multiply(
        queries,
        firstQuery * shape.headDim(),
        shape.headDim(),
        keys,
        0,
        shape.headDim() * Lanes.COUNT,
        Lanes.COUNT,
        scores,
        firstQuery * stride,
        stride,
        count,
        shape.headDim(),
        stride / Lanes.COUNT);
    for (int query = firstQuery; query < firstQuery + count; query++) {
      int position = tile.firstPosition + query / group;
      int at = query * stride;
      cap(at, stride);
      int end = Math.min(tokens, position + 1 - panel);
      mask(at, shape.firstVisible(position) - panel, end, stride);
      state.lower(query, scores, at, stride);
    }
    // All rows in one loop: its constants cost as much to set up as a row.
    VectorMath.exp(scores, firstQuery * stride, count * stride);
    for (int query = firstQuery; query < firstQuery + count; query++) {
      state.addPowers(query, scores, query * stride, stride);
    }
  }

  private void cap(int at, int count) {
    float softCap = shape.spec().softCap();
    if (softCap > 0) {
      ElementwiseKernels.softCap(scores, at, count, softCap, capScratch);
    }
  }

  private void mask(int at, int first, int end, int count) {
    if (first > 0) {
      Arrays.fill(scores, at, at + first, Float.NEGATIVE_INFINITY);
    }
    Arrays.fill(scores, at + end, at + count, Float.NEGATIVE_INFINITY);
  }

  /** Writes the results. */
  void store(AttentionState state, Rows tile, int kvHead, MatrixRows out) {
    int group = shape.groupHeads();
    int width = group * shape.valueDim();
    for (int r = 0; r < tile.rows; r++) {
      for (int h = 0; h < group; h++) {
        state.result(r * group + h, outRow, h * shape.valueDim());
      }
      out.store(outRow, 0, tile.firstRow + r, kvHead * width, width);
    }
  }
}
