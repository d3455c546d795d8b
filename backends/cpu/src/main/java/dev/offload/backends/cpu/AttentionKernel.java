package dev.offload.backends.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Causal attention over a paged cache without ever storing a row of scores (Dao et al., arXiv
 * 2205.14135). A task is a tile of rows for one KV head. It walks over the context span by span;
 * each span gives a partial softmax, and partial ones are merged in order. Where there are few
 * tiles and long contexts, the spans become tasks of their own. Rows of several sequences that
 * share a prefix are one tile, which reads the prefix once for all of them (as Hydragen does,
 * Juravsky et al., arXiv 2402.05099) and what is behind it for each sequence alone. Both change who
 * computes what but not one bit of the result.
 */
final class AttentionKernel {
  /** Fewer tasks than this per thread leave threads idle at the end. */
  private static final int TASKS_PER_THREAD = 8;

  private final WorkerPool pool;
  private final AttentionShape shape;
  private final MatrixRows queries;
  private final KvCache cache;
  private final SequenceTable table;
  private final float[] sinks;
  private final MatrixRows out;
  private final List<TileRows> tiles;
  private final Queue<Scratch> scratches = new ConcurrentLinkedQueue<>();

  AttentionKernel(
      WorkerPool pool,
      AttentionShape shape,
      MatrixRows queries,
      KvCache cache,
      SequenceTable table,
      MatrixRows out) {
    this.pool = pool;
    this.shape = shape;
    this.queries = queries;
    this.cache = cache;
    this.table = table;
    this.out = out;
    sinks = shape.spec().sinks().map(CpuOperands::array).orElse(new float[0]);
    tiles = TileRows.of(table, shape);
  }

  void run() {
    int tasks = tiles.size() * shape.kvHeads();
    if (pool.threads() > 1 && tasks < TASKS_PER_THREAD * pool.threads()) {
      runSpans();
    } else {
      pool.parallelFor(tasks, this::runTile);
    }
  }

  private void runTile(int task) {
    TileRows tile = tiles.get(task / shape.kvHeads());
    int kvHead = task % shape.kvHeads();
    Scratch scratch = takeScratch();
    int count = tile.rows() * shape.groupHeads();
    scratch.tile.loadQueries(queries, tile, kvHead);
    start(scratch.total, tile, kvHead);
    int from = firstSpan(tile);
    if (sinks.length == 0) {
      // What merging the first span into an empty total gives.
      scratch.tile.attend(cache, table, tile, kvHead, from, scratch.total);
      from += shape.spanTokens();
    }
    for (; from < tile.end(); from += shape.spanTokens()) {
      scratch.partial.clear(count);
      scratch.tile.attend(cache, table, tile, kvHead, from, scratch.partial);
      scratch.total.merge(scratch.partial, count);
    }
    scratch.tile.store(scratch.total, tile, kvHead, out);
    scratches.add(scratch);
  }

  private void runSpans() {
    List<Span> spans = new ArrayList<>();
    List<List<Span>> spansOfTile = new ArrayList<>();
    for (TileRows tile : tiles) {
      for (int kvHead = 0; kvHead < shape.kvHeads(); kvHead++) {
        List<Span> own = new ArrayList<>();
        for (int from = firstSpan(tile); from < tile.end(); from += shape.spanTokens()) {
          own.add(new Span(tile, kvHead, from, newState(tile)));
        }
        spans.addAll(own);
        spansOfTile.add(own);
      }
    }
    pool.parallelFor(spans.size(), task -> runSpan(spans.get(task)));
    pool.parallelFor(spansOfTile.size(), task -> mergeSpans(spansOfTile.get(task)));
  }

  private void runSpan(Span span) {
    Scratch scratch = takeScratch();
    scratch.tile.loadQueries(queries, span.tile, span.kvHead);
    span.partial.clear(span.tile.rows() * shape.groupHeads());
    scratch.tile.attend(cache, table, span.tile, span.kvHead, span.from, span.partial);
    scratches.add(scratch);
  }

  private void mergeSpans(List<Span> spans) {
    Scratch scratch = takeScratch();
    TileRows tile = spans.getFirst().tile;
    int kvHead = spans.getFirst().kvHead;
    start(scratch.total, tile, kvHead);
    for (Span span : spans) {
      scratch.total.merge(span.partial, tile.rows() * shape.groupHeads());
    }
    scratch.tile.store(scratch.total, tile, kvHead, out);
    scratches.add(scratch);
  }

  private int firstSpan(TileRows tile) {
    int firstSeen = shape.firstVisible(tile.parts().getFirst().firstPosition());
    return firstSeen / shape.spanTokens() * shape.spanTokens();
  }

  private void start(AttentionState total, TileRows tile, int kvHead) {
    int group = shape.groupHeads();
    int count = tile.rows() * group;
    total.clear(count);
    for (int q = 0; q < count && sinks.length > 0; q++) {
      total.addSink(q, sinks[kvHead * group + q % group]);
    }
  }

  private AttentionState newState(TileRows tile) {
    return new AttentionState(tile.rows() * shape.groupHeads(), shape.valueStride());
  }

  private Scratch takeScratch() {
    Scratch scratch = scratches.poll();
    return scratch != null ? scratch : new Scratch(shape);
  }

  /** A part of the context of a tile and what it gave. */
  private record Span(TileRows tile, int kvHead, int from, AttentionState partial) {}

  /** What a thread needs; as many exist as threads have taken part. */
  private static final class Scratch {
    private final AttentionTile tile;
    private final AttentionState partial;
    private final AttentionState total;

    Scratch(AttentionShape shape) {
      tile = new AttentionTile(shape);
      partial = new AttentionState(shape.tileQueries(), shape.valueStride());
      total = new AttentionState(shape.tileQueries(), shape.valueStride());
    }
  }
}
