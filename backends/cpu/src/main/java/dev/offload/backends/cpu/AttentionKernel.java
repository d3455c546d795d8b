package dev.offload.backends.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Causal attention over a paged cache without ever storing a row of scores (Dao et al., arXiv
 * 2205.14135). A task is a tile of rows for one KV head, or for several where rows are few: then
 * the time goes into reading the cache, and their keys and values lie side by side. It walks over
 * the context span by span; each span gives a partial softmax, and partial ones are merged in
 * order. Where there are few tiles and long contexts, the spans become tasks of their own, some at
 * a time. Rows of several sequences that share a prefix are one tile, which reads the prefix once
 * for all of them (as Hydragen does, Juravsky et al., arXiv 2402.05099) and what is behind it for
 * each sequence alone. All of this changes who computes what but not one bit of the result.
 */
final class AttentionKernel {
  /** Fewer tasks than this per thread leave threads idle at the end; so many spans go at a time. */
  private static final int TASKS_PER_THREAD = 8;

  /** Spans per thread from which on several KV heads are one task. */
  private static final int HEADS_TOGETHER = 4;

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
    List<TileHeads> whole = tasks(true);
    boolean enough = spans(whole) >= (long) HEADS_TOGETHER * pool.threads();
    List<TileHeads> tasks = enough ? whole : tasks(false);
    if (pool.threads() > 1 && tasks.size() < TASKS_PER_THREAD * pool.threads()) {
      runSpans(tasks);
    } else {
      pool.parallelFor(tasks.size(), task -> runTile(tasks.get(task)));
    }
  }

  /**
   * All tiles.
   *
   * @param together whether as many KV heads as possible are one task, or each is its own
   */
  private List<TileHeads> tasks(boolean together) {
    List<TileHeads> tasks = new ArrayList<>();
    for (TileRows tile : tiles) {
      int most = together ? shape.headsAtOnce(tile.rows()) : 1;
      for (int head = 0; head < shape.kvHeads(); head += most) {
        tasks.add(new TileHeads(tile, head, Math.min(most, shape.kvHeads() - head)));
      }
    }
    return tasks;
  }

  private long spans(List<TileHeads> tasks) {
    long spans = 0;
    for (TileHeads task : tasks) {
      spans += Math.ceilDiv(task.tile.end() - firstSpan(task.tile), shape.spanTokens());
    }
    return spans;
  }

  private void runTile(TileHeads task) {
    TileRows tile = task.tile;
    Scratch scratch = takeScratch();
    int count = queries(task);
    loadQueries(scratch.tile, task);
    start(scratch.total, task);
    int from = firstSpan(tile);
    if (sinks.length == 0) {
      // What merging the first span into an empty total gives.
      attend(scratch.tile, task, from, scratch.total);
      from += shape.spanTokens();
    }
    for (; from < tile.end(); from += shape.spanTokens()) {
      scratch.partial.clear(count);
      attend(scratch.tile, task, from, scratch.partial);
      scratch.total.merge(scratch.partial, count);
    }
    store(scratch.tile, scratch.total, task);
    scratches.add(scratch);
  }

  /** Every task's spans in order, a bounded number of them at a time. */
  private void runSpans(List<TileHeads> tasks) {
    List<Span> spans = new ArrayList<>();
    for (TileHeads task : tasks) {
      TileTotal total = new TileTotal();
      for (int from = firstSpan(task.tile); from < task.tile.end(); from += shape.spanTokens()) {
        spans.add(new Span(task, from, total));
      }
    }
    int atOnce = TASKS_PER_THREAD * pool.threads();
    for (int first = 0; first < spans.size(); first += atOnce) {
      List<Span> some = spans.subList(first, Math.min(first + atOnce, spans.size()));
      pool.parallelFor(some.size(), task -> runSpan(some.get(task)));
      List<List<Span>> byTile = byTile(some);
      pool.parallelFor(byTile.size(), task -> mergeSpans(byTile.get(task)));
    }
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
    loadQueries(scratch.tile, span.task);
    span.partial = newState(span.task);
    span.partial.clear(queries(span.task));
    attend(scratch.tile, span.task, span.from, span.partial);
    scratches.add(scratch);
  }

  private void mergeSpans(List<Span> spans) {
    TileHeads task = spans.getFirst().task;
    TileTotal total = spans.getFirst().total;
    if (total.state == null) {
      total.state = newState(task);
      start(total.state, task);
    }
    for (Span span : spans) {
      total.state.merge(span.partial, queries(task));
      span.partial = null;
    }
    if (spans.getLast().from + shape.spanTokens() >= task.tile.end()) {
      Scratch scratch = takeScratch();
      store(scratch.tile, total.state, task);
      scratches.add(scratch);
      total.state = null;
    }
  }

  private int firstSpan(TileRows tile) {
    int firstSeen = shape.firstVisible(tile.parts().getFirst().firstPosition());
    return firstSeen / shape.spanTokens() * shape.spanTokens();
  }

  private int queries(TileHeads task) {
    return task.heads * headQueries(task.tile);
  }

  private int headQueries(TileRows tile) {
    return tile.rows() * shape.groupHeads();
  }

  private void loadQueries(AttentionTile scratch, TileHeads task) {
    for (int h = 0; h < task.heads; h++) {
      scratch.loadQueries(queries, task.tile, task.firstHead + h, h * headQueries(task.tile));
    }
  }

  private void attend(AttentionTile scratch, TileHeads task, int from, AttentionState state) {
    scratch.attend(cache, table, task.tile, task.firstHead, task.heads, from, state);
  }

  private void store(AttentionTile scratch, AttentionState state, TileHeads task) {
    for (int h = 0; h < task.heads; h++) {
      scratch.store(state, task.tile, task.firstHead + h, h * headQueries(task.tile), out);
    }
  }

  private void start(AttentionState total, TileHeads task) {
    int group = shape.groupHeads();
    int count = queries(task);
    total.clear(count);
    for (int q = 0; q < count && sinks.length > 0; q++) {
      int kvHead = task.firstHead + q / headQueries(task.tile);
      total.addSink(q, sinks[kvHead * group + q % group]);
    }
  }

  private AttentionState newState(TileHeads task) {
    return new AttentionState(queries(task), shape.valueStride());
  }

  private Scratch takeScratch() {
    Scratch scratch = scratches.poll();
    return scratch != null ? scratch : new Scratch(shape);
  }

  /** Adjacent KV heads of a tile. */
  private record TileHeads(TileRows tile, int firstHead, int heads) {}

  /** A part of the context of a task, and what it gave while that is not merged. */
  private static final class Span {
    private final TileHeads task;
    private final int from;
    private final TileTotal total;
    private AttentionState partial;

    Span(TileHeads task, int from, TileTotal total) {
      this.task = task;
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
