package dev.offload.backends.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Causal attention over a paged cache without ever storing a row of scores (Dao et al., arXiv
 * 2205.14135). A task is a tile of rows for one KV head. It walks over the context span by span;
 * each span gives a partial softmax, and partial ones are merged in order. Where there are few
 * tiles and long contexts, the spans become tasks of their own, some at a time. Rows of several
 * sequences that share a prefix are one tile, which reads the prefix once for all of them (as
 * Hydragen does, Juravsky et al., arXiv 2402.05099) and what is behind it for each sequence alone.
 * Both change who computes what but not one bit of the result.
 */
final class AttentionKernel {
  /** Fewer tasks than this per thread leave threads idle at the end; so many spans go at a time. */
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

  /** Bytes that attention of these sizes works in at most. */
  static long scratchBytes(AttentionShape shape, int threads) {
    long state = AttentionState.numbers(shape.tileQueries(), shape.valueStride());
    // While spans are merged there are as many totals as partial softmaxes at most.
    long states = 2 + 2 * TASKS_PER_THREAD;
    return threads * (AttentionTile.numbers(shape) + states * state) * Float.BYTES;
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

  /** Every tile's spans in order, a bounded number of them at a time. */
  private void runSpans() {
    List<Span> spans = spans();
    int atOnce = TASKS_PER_THREAD * pool.threads();
    for (int first = 0; first < spans.size(); first += atOnce) {
      List<Span> some = spans.subList(first, Math.min(first + atOnce, spans.size()));
      pool.parallelFor(some.size(), task -> runSpan(some.get(task)));
      List<List<Span>> byTile = byTile(some);
      pool.parallelFor(byTile.size(), task -> mergeSpans(byTile.get(task)));
    }
  }

  private List<Span> spans() {
    List<Span> spans = new ArrayList<>();
    for (TileRows tile : tiles) {
      for (int kvHead = 0; kvHead < shape.kvHeads(); kvHead++) {
        TileTotal total = new TileTotal();
        for (int from = firstSpan(tile); from < tile.end(); from += shape.spanTokens()) {
          spans.add(new Span(tile, kvHead, from, total));
        }
      }
    }
    return spans;
  }

  /** Cuts adjacent spans where another tile or head begins. */
  private static List<List<Span>> byTile(List<Span> spans) {
    List<List<Span>> parts = new ArrayList<>();
    for (int first = 0; first < spans.size(); ) {
      int end = first + 1;
      while (end < spans.size() && spans.get(end).total == spans.get(first).total) {
        end++;
      }
      parts.add(spans.subList(first, end));
      first = end;
    }
    return parts;
  }

  private void runSpan(Span span) {
    Scratch scratch = takeScratch();
    scratch.tile.loadQueries(queries, span.tile, span.kvHead);
    span.partial = newState(span.tile);
    span.partial.clear(span.tile.rows() * shape.groupHeads());
    scratch.tile.attend(cache, table, span.tile, span.kvHead, span.from, span.partial);
    scratches.add(scratch);
  }

  private void mergeSpans(List<Span> spans) {
    TileRows tile = spans.getFirst().tile;
    int kvHead = spans.getFirst().kvHead;
    TileTotal total = spans.getFirst().total;
    if (total.state == null) {
      total.state = newState(tile);
      start(total.state, tile, kvHead);
    }
    for (Span span : spans) {
      total.state.merge(span.partial, tile.rows() * shape.groupHeads());
      span.partial = null;
    }
    if (spans.getLast().from + shape.spanTokens() >= tile.end()) {
      Scratch scratch = takeScratch();
      scratch.tile.store(total.state, tile, kvHead, out);
      scratches.add(scratch);
      total.state = null;
    }
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

  /** A part of the context of a tile, and what it gave while that is not merged. */
  private static final class Span {
    private final TileRows tile;
    private final int kvHead;
    private final int from;
    private final TileTotal total;
    private AttentionState partial;

    Span(TileRows tile, int kvHead, int from, TileTotal total) {
      this.tile = tile;
      this.kvHead = kvHead;
      this.from = from;
      this.total = total;
    }
  }

  /** What the spans of a tile have given so far. */
  private static final class TileTotal {
    private AttentionState state;
  }

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
