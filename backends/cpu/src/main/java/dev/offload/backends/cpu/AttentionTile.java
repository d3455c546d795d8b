package dev.offload.backends.cpu;

import dev.offload.tensors.DType;
import java.util.Arrays;

/**
 * Scratch and steps of one attention task: some adjacent rows, and in them the query heads that
 * share one KV head, or those of several KV heads one behind the other. Owned by one task at a
 * time.
 */
final class AttentionTile {
  private final AttentionShape shape;
  private final float[] queries;
  private final float[] keys;
  private final float[] values;
  private final float[] blockKeys;
  private final float[] scores;
  private final float[] capScratch;
  private final float[] outRow;

  /** Keeps the compiler from leaving out reads that are only done for the cache's sake. */
  @SuppressWarnings("UnusedVariable")
  private long touched;

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

  /** Numbers of the arrays of one. */
  static long numbers(AttentionShape shape) {
    long queries = shape.tileQueries();
    return queries * shape.headDim()
        + (long) shape.headDim() * shape.panelStride()
        + (long) shape.panelTokens() * shape.valueStride()
        + (long) shape.headDim() * shape.blockTokens()
        + queries * shape.panelStride()
        + shape.panelStride()
        + (long) shape.groupHeads() * shape.valueDim()
        + Lanes.COUNT;
  }

  /**
   * Reads the query vectors of a KV head, row by row and head by head, and scales them.
   *
   * @param firstQuery where they go
   */
  void loadQueries(MatrixRows from, TileRows tile, int kvHead, int firstQuery) {
    int width = shape.groupHeads() * shape.headDim();
    int at = firstQuery * shape.headDim();
    for (int r = 0; r < tile.rows(); r++) {
      from.load(tile.firstRow() + r, kvHead * width, width, queries, at + r * width);
    }
    float scale = shape.spec().scale();
    for (int i = at; i < at + tile.rows() * width; i++) {
      queries[i] *= scale;
    }
  }

  /**
   * Attends to the positions {@code from} to {@code from + spanTokens - 1}, as far as rows see
   * them. Where there are several KV heads, what they have in the cache of a panel is fetched in
   * the order it lies in first: read head by head, memory gives half as much.
   *
   * @param firstHead of {@code heads} KV heads, whose queries lie one behind the other
   */
  void attend(
      KvCache cache,
      SequenceTable table,
      TileRows tile,
      int firstHead,
      int heads,
      int from,
      AttentionState state) {
    int end = Math.min(from + shape.spanTokens(), tile.end());
    int headQueries = tile.rows() * shape.groupHeads();
    for (int panel = from; panel < end; panel += shape.panelTokens()) {
      if (heads > 1) {
        fetch(cache, table, tile, firstHead, heads, panel);
      }
      for (int h = 0; h < heads; h++) {
        attendPanel(cache, table, tile, firstHead + h, h * headQueries, panel, state);
      }
    }
  }

  private void attendPanel(
      KvCache cache,
      SequenceTable table,
      TileRows tile,
      int kvHead,
      int firstQuery,
      int panel,
      AttentionState state) {
    if (panel < tile.sharedTokens()) {
      attendShared(cache, table, tile, kvHead, firstQuery, panel, state);
      return;
    }
    for (TileRows.Part part : tile.parts()) {
      int tokens = Math.min(shape.panelTokens(), part.end() - panel);
      if (tokens > 0) {
        attend(cache, table, part, kvHead, firstQuery, panel, tokens, state);
      }
    }
  }

  /** Reads a number of each cache line of some heads of a panel. */
  private void fetch(
      KvCache cache, SequenceTable table, TileRows tile, int firstHead, int heads, int panel) {
    KvBlockLayout layout = cache.layout();
    int size = layout.blockTokens();
    long first = layout.keysOffset(firstHead);
    long bytes = layout.keysOffset(firstHead + heads) - first;
    boolean shared = panel < tile.sharedTokens();
    for (TileRows.Part part : shared ? tile.parts().subList(0, 1) : tile.parts()) {
      int tokens = shared ? shape.panelTokens() : Math.min(shape.panelTokens(), part.end() - panel);
      int skipped = Math.max(0, shape.firstVisible(part.firstPosition()) - panel);
      for (int token = skipped / size * size; token < tokens; token += size) {
        long from = cache.blockOffset(table.block(part.sequence(), (panel + token) / size)) + first;
        touched += RowCodec.touch(cache.segment(), from, bytes);
      }
    }
  }

  /** A panel that all rows see whole. */
  private void attendShared(
      KvCache cache,
      SequenceTable table,
      TileRows tile,
      int kvHead,
      int firstQuery,
      int panel,
      AttentionState state) {
    int sequence = tile.parts().getFirst().sequence();
    int count = tile.rows() * shape.groupHeads();
    loadPanel(cache, table, sequence, kvHead, panel, 0, shape.panelTokens());
    score(firstQuery, count, shape.panelTokens());
    for (int query = firstQuery; query < firstQuery + count; query++) {
      mask(query, 0, shape.panelTokens(), shape.panelStride());
    }
    weigh(firstQuery, count, 0, shape.panelTokens(), state);
  }

  private void attend(
      KvCache cache,
      SequenceTable table,
      TileRows.Part part,
      int kvHead,
      int headQuery,
      int panel,
      int tokens,
      AttentionState state) {
    int firstRow = Math.max(0, panel - part.firstPosition());
    int endRow = shape.firstRowBeyond(panel + tokens - 1, part.firstPosition(), part.rows());
    if (firstRow >= endRow) {
      return;
    }
    int group = shape.groupHeads();
    int skipped = Math.max(0, shape.firstVisible(part.firstPosition() + firstRow) - panel);
    int firstQuery = headQuery + (part.first() + firstRow) * group;
    int count = (endRow - firstRow) * group;
    loadPanel(cache, table, part.sequence(), kvHead, panel, skipped, tokens);
    score(firstQuery, count, tokens);
    for (int q = 0; q < count; q++) {
      int position = part.firstPosition() + firstRow + q / group;
      int end = Math.min(tokens, position + 1 - panel);
      int first = shape.firstVisible(position) - panel;
      mask(firstQuery + q, first, end, AttentionShape.scoreStride(tokens));
    }
    weigh(firstQuery, count, skipped, tokens, state);
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
      int count = Math.min(size, tokens - token);
      if (layout.valuesInKeys()) {
        turnValues(token, count);
      } else {
        loadValues(cache, block + layout.valuesOffset(kvHead), token, count);
      }
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

  /** Takes values from keys of the panel that have been read. */
  private void turnValues(int firstToken, int tokens) {
    int dims = shape.headDim();
    for (int token = firstToken; token < firstToken + tokens; token++) {
      int lane = token % Lanes.COUNT;
      int from = (token - lane) * dims + lane;
      int to = token * shape.valueStride();
      for (int i = 0; i < shape.valueDim(); i++) {
        values[to + i] = keys[from + i * Lanes.COUNT];
      }
    }
  }

  private void score(int firstQuery, int count, int tokens) {
    int stride = AttentionShape.scoreStride(tokens);
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
    float softCap = shape.spec().softCap();
    if (softCap > 0) {
      for (int query = firstQuery; query < firstQuery + count; query++) {
        ElementwiseKernels.softCap(scores, query * stride, stride, softCap, capScratch);
      }
    }
  }

  /** Hides the tokens of a panel before {@code first} and from {@code end} on. */
  private void mask(int query, int first, int end, int stride) {
    int at = query * stride;
    if (first > 0) {
      Arrays.fill(scores, at, at + first, Float.NEGATIVE_INFINITY);
    }
    Arrays.fill(scores, at + end, at + stride, Float.NEGATIVE_INFINITY);
  }

  /** Adds the powers of the scores, and the values weighted by them. */
  private void weigh(int firstQuery, int count, int skipped, int tokens, AttentionState state) {
    int stride = AttentionShape.scoreStride(tokens);
    for (int query = firstQuery; query < firstQuery + count; query++) {
      state.lower(query, scores, query * stride, stride);
    }
    // All rows in one loop: its constants cost as much to set up as a row.
    VectorMath.exp(scores, firstQuery * stride, count * stride);
    for (int query = firstQuery; query < firstQuery + count; query++) {
      state.addPowers(query, scores, query * stride, stride);
    }
    state.addValues(
        firstQuery,
        count,
        scores,
        firstQuery * stride + skipped,
        stride,
        values,
        skipped * shape.valueStride(),
        tokens - skipped);
  }

  /** Writes the results of a KV head. */
  void store(AttentionState state, TileRows tile, int kvHead, int firstQuery, MatrixRows out) {
    int group = shape.groupHeads();
    int width = group * shape.valueDim();
    for (int r = 0; r < tile.rows(); r++) {
      for (int h = 0; h < group; h++) {
        state.result(firstQuery + r * group + h, outRow, h * shape.valueDim());
      }
      out.store(outRow, 0, tile.firstRow() + r, kvHead * width, width);
    }
  }
}
