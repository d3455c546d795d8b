package dev.offload.planner.profile;

import dev.offload.backends.api.AttentionSpec;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.KvBlocks;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.RaggedBatch;
import dev.offload.backends.api.Stream;
import dev.offload.planner.profile.Shapes.Heads;
import dev.offload.tensors.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Attention of sequences of equal lengths, whose last rows are appended to the cache first. Owns
 * its buffers. Not thread-safe.
 */
final class AttentionProbe implements AutoCloseable {
  private static final DType CACHE = DType.BF16;

  private final Workbench bench;
  private final Heads heads;
  private final int sequences;
  private final int rows;
  private final int context;
  private final int blockTokens;
  private final RaggedBatch batch;
  private final List<KvBlocks> caches = new ArrayList<>();
  private final Matrix queries;
  private final Matrix keysAndValues;
  private final Matrix out;
  private final AttentionSpec spec;
  private int next;

  /**
   * @param rows of each sequence, the last ones of its context
   * @param bytes caches that are attended to in turn fill so many bytes
   */
  AttentionProbe(Device device, Heads heads, int sequences, int rows, int context, long bytes) {
    this.heads = heads;
    this.sequences = sequences;
    this.rows = rows;
    this.context = context;
    spec =
        new AttentionSpec(
            heads.queries(), (float) (1 / Math.sqrt(heads.width())), 0, 0, Optional.empty());
    bench = new Workbench(device);
    try {
      blockTokens = bench.operations().kvBlockTokens();
      batch = batch();
      allocateCaches(bytes);
      queries = bench.random(DType.F32, sequences * rows, heads.queries() * heads.width());
      keysAndValues =
          bench.random(DType.F32, sequences * rows, 2 * heads.keyValues() * heads.width());
      out = bench.random(DType.F32, sequences * rows, heads.queries() * heads.width());
    } catch (RuntimeException | Error e) {
      bench.close();
      throw e;
    }
  }

  private void allocateCaches(long bytes) {
    KvBlocks.Format format =
        new KvBlocks.Format(CACHE, blockTokens, heads.keyValues(), heads.width(), heads.width());
    int blocks = sequences * blocksPerSequence();
    long each = blocks * bench.operations().kvBlockBytes(format);
    int count = (int) Math.max(1, Math.ceilDiv(bytes, each));
    DeviceBuffer buffer = bench.allocate(count * each);
    bench.fill(buffer, CACHE, count * each / CACHE.bytes());
    for (int i = 0; i < count; i++) {
      caches.add(new KvBlocks(buffer, i * each, blocks, format));
    }
  }

  private int blocksPerSequence() {
    return Math.ceilDiv(context, blockTokens);
  }

  private RaggedBatch batch() {
    int perSequence = blocksPerSequence();
    int[] rowStarts = new int[sequences + 1];
    Arrays.setAll(rowStarts, s -> s * rows);
    int[] contexts = new int[sequences];
    Arrays.fill(contexts, context);
    int[] table = new int[sequences * perSequence];
    Arrays.setAll(table, i -> i);
    int[] slots = new int[sequences * rows];
    Arrays.setAll(
        slots, row -> row / rows * perSequence * blockTokens + context - rows + row % rows);
    return new RaggedBatch(
        sequences,
        sequences * rows,
        perSequence,
        context,
        bench.indices(rowStarts),
        bench.indices(contexts),
        bench.indices(table),
        bench.indices(slots),
        List.of());
  }

  /** Appends to the next of the caches and attends to it. */
  void enqueue(Stream stream) {
    KvBlocks cache = caches.get(next);
    next = (next + 1) % caches.size();
    int width = heads.keyValues() * heads.width();
    Matrix keys = keysAndValues.columns(0, width);
    bench.operations().appendKv(stream, keys, keysAndValues.columns(width, width), batch, cache);
    bench.operations().attention(stream, queries, cache, batch, spec, out);
  }

  /** Seconds until a thread that has this done and waits for it goes on. */
  double secondsWaitedFor() {
    long begin = System.nanoTime();
    enqueue(bench.stream());
    bench.stream().synchronize();
    return (System.nanoTime() - begin) / 1e9;
  }

  Stream stream() {
    return bench.stream();
  }

  int rowsPerSequence() {
    return rows;
  }

  /** Keys and values in the cache of one layer. */
  double bytes() {
    return 2.0 * heads.keyValues() * heads.width() * CACHE.bytes() * sequences * context;
  }

  /** Arithmetic of one layer: a multiplication and an addition each for scores and values. */
  double flops() {
    double pairs = (double) sequences * rows * (2.0 * context - rows + 1) / 2;
    return 4 * pairs * heads.queries() * heads.width();
  }

  /** Seconds of one layer. */
  double seconds(Sampler sampler) {
    return sampler.perItem(bench.stream(), () -> enqueue(bench.stream()));
  }

  @Override
  public void close() {
    bench.close();
  }
}
