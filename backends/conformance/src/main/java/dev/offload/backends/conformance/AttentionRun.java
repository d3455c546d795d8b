package dev.offload.backends.conformance;

import dev.offload.backends.api.AttentionSpec;
import dev.offload.backends.api.KvBlocks;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.RaggedBatch;
import dev.offload.backends.api.RaggedBatch.SharedPrefix;
import dev.offload.backends.api.Vector;
import dev.offload.tensors.DType;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * One attention over a random cache, compared with the reference; fields are the case's settings.
 */
final class AttentionRun {
  private final DeviceFixture fixture;
  private final DType rowType;
  private final DType cacheType;
  private SequenceCase sequences;
  private double[][] queries;
  private double[] sinks = {};

  int[] contexts;
  int[] rows;
  List<SharedPrefix> prefixes = List.of();
  int kvHeads;
  int groupHeads;
  int headDim = 16;
  int valueDim = 16;
  boolean valuesInKeys;
  int blockTokens;
  int window;
  double softCap;
  double range = 2;
  double sinkRange;
  boolean dropsBlocks;

  /**
   * A case with random heads and the block size the device likes.
   *
   * @param rowType format of queries, keys and values, and of the result
   */
  AttentionRun(DeviceFixture fixture, DType rowType, DType cacheType) {
    this.fixture = fixture;
    this.rowType = rowType;
    this.cacheType = cacheType;
    kvHeads = fixture.any(1, 2, 3);
    groupHeads = fixture.any(1, 2, 3, 4, 7);
    blockTokens = fixture.operations().kvBlockTokens();
  }

  /** Fills the cache and draws queries. */
  void prepare() {
    KvBlocks.Format format =
        new KvBlocks.Format(cacheType, blockTokens, kvHeads, headDim, valueDim, valuesInKeys);
    sequences = new SequenceCase(fixture, format, contexts, rows, prefixes, range, rowType);
    queries = fixture.numbers(sequences.tokens(), heads() * headDim, range, rowType);
    if (sinkRange > 0) {
      sinks = fixture.numbers(1, heads(), sinkRange, DType.F32)[0];
    }
  }

  /** Runs on the device and compares; returns the device's result. */
  double[][] check() {
    prepare();
    RaggedBatch batch =
        dropsBlocks ? sequences.batchWithoutBlocksBefore(window) : sequences.batch();
    double[][] result = attend(batch);
    int longest = Arrays.stream(contexts).max().orElseThrow();
    double scoreSize = softCap > 0 ? softCap : range * range * headDim * scale() / 4;
    double error = AttentionConformance.share(longest, scoreSize);
    sequences
        .attention(queries, heads(), scale(), window, softCap, sinks)
        .check(result, rowType, error, describe());
    return result;
  }

  /** Runs on the device; checks only that nothing but the result is written. */
  double[][] attend(RaggedBatch batch) {
    Optional<Vector> sinkVector =
        sinks.length == 0 ? Optional.empty() : Optional.of(fixture.vector(sinks));
    AttentionSpec spec =
        new AttentionSpec(heads(), (float) scale(), window, (float) softCap, sinkVector);
    Matrix out = fixture.output(rowType, queries.length, heads() * valueDim);
    Matrix in = fixture.matrix(rowType, queries);
    fixture.operations().attention(fixture.stream(), in, cache(), batch, spec, out);
    double[][] result = fixture.read(out);
    long blockBytes = fixture.operations().kvBlockBytes(cache().format());
    fixture.expectUntouchedBut(DeviceFixture.Written.whole(cache(), blockBytes), out);
    return result;
  }

  /** The same cache, queried only with the last row of each sequence. */
  AttentionRun lastRowsOnly() {
    AttentionRun alone = new AttentionRun(fixture, rowType, cacheType);
    alone.kvHeads = kvHeads;
    alone.groupHeads = groupHeads;
    int[] single = new int[rows.length];
    Arrays.fill(single, 1);
    alone.sequences = sequences.withRows(single);
    alone.queries = new double[rows.length][];
    int end = 0;
    for (int s = 0; s < rows.length; s++) {
      end += rows[s];
      alone.queries[s] = queries[end - 1];
    }
    return alone;
  }

  RaggedBatch batch() {
    return sequences.batch();
  }

  RaggedBatch batchWithoutPrefixes() {
    return sequences.batchWithoutPrefixes();
  }

  KvBlocks cache() {
    return sequences.cache();
  }

  private int heads() {
    return kvHeads * groupHeads;
  }

  /** A number that F32 holds exactly. */
  private double scale() {
    return (float) (1 / Math.sqrt(headDim));
  }

  private String describe() {
    return "attention of %d heads over %d with %s and %s, contexts %s, rows %s, window %d, %s"
        .formatted(
            heads(),
            kvHeads,
            rowType,
            cacheType,
            Arrays.toString(contexts),
            Arrays.toString(rows),
            window,
            prefixes);
  }
}
