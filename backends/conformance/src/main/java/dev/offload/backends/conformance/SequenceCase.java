package dev.offload.backends.conformance;

import dev.offload.backends.api.KvBlocks;
import dev.offload.backends.api.RaggedBatch;
import dev.offload.backends.api.RaggedBatch.SharedPrefix;
import dev.offload.tensors.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * A ragged batch of random sequences whose keys and values lie in scattered blocks. What is before
 * the rows of the batch was written to the cache by an earlier batch.
 */
final class SequenceCase {
  private final DeviceFixture fixture;
  private final KvBlocks cache;
  private final int maxBlocks;
  private final int[] contexts;
  private final int[] rows;
  private final List<SharedPrefix> prefixes;
  private final int[][] blocks;
  private final double[][][] keys;
  private final double[][][] values;

  /**
   * Makes the sequences and fills the cache.
   *
   * @param contexts tokens of each sequence
   * @param rows how many of them belong to the batch, at the end
   * @param prefixes who begins alike
   * @param keyRange largest key
   * @param rowType format in which keys and values come
   */
  SequenceCase(
      DeviceFixture fixture,
      KvBlocks.Format format,
      int[] contexts,
      int[] rows,
      List<SharedPrefix> prefixes,
      double keyRange,
      DType rowType) {
    this.fixture = fixture;
    this.contexts = contexts;
    this.rows = rows;
    this.prefixes = prefixes;
    keys = new double[contexts.length][][];
    values = new double[contexts.length][][];
    blocks = new int[contexts.length][];
    int used = 0;
    int most = 0;
    for (int s = 0; s < contexts.length; s++) {
      keys[s] = fixture.numbers(contexts[s], format.heads() * format.headDim(), keyRange, rowType);
      values[s] =
          format.valuesInKeys()
              ? valuesIn(keys[s], format)
              : fixture.numbers(contexts[s], format.heads() * format.valueDim(), 2, rowType);
      blocks[s] = new int[(contexts[s] + format.blockTokens() - 1) / format.blockTokens()];
      used += blocks[s].length;
      most = Math.max(most, blocks[s].length);
    }
    maxBlocks = most + fixture.random().nextInt(0, 3);
    cache = fixture.kvBlocks(format, used + 2);
    scatterBlocks();
    share(format.blockTokens());
    append(rowType);
  }

  private static double[][] valuesIn(double[][] keys, KvBlocks.Format format) {
    double[][] values = new double[keys.length][format.heads() * format.valueDim()];
    for (int t = 0; t < keys.length; t++) {
      for (int head = 0; head < format.heads(); head++) {
        System.arraycopy(
            keys[t],
            head * format.headDim(),
            values[t],
            head * format.valueDim(),
            format.valueDim());
      }
    }
    return values;
  }

  private SequenceCase(SequenceCase other, int[] rows) {
    fixture = other.fixture;
    cache = other.cache;
    maxBlocks = other.maxBlocks;
    contexts = other.contexts;
    this.rows = rows;
    prefixes = other.prefixes;
    blocks = other.blocks;
    keys = other.keys;
    values = other.values;
  }

  /** The same sequences and cache, where other numbers of rows are queried. */
  SequenceCase withRows(int[] other) {
    return new SequenceCase(this, other);
  }

  private void scatterBlocks() {
    List<Integer> order = new ArrayList<>();
    for (int block = 0; block < cache.blocks(); block++) {
      order.add(block);
    }
    Collections.shuffle(order, new Random(fixture.random().nextLong()));
    for (int[] own : blocks) {
      for (int i = 0; i < own.length; i++) {
        own[i] = order.removeLast();
      }
    }
  }

  /** Gives all sequences of a run the first tokens of the first of them, in the same blocks. */
  private void share(int blockTokens) {
    for (SharedPrefix prefix : prefixes) {
      int first = prefix.firstSequence();
      for (int s = first; s < prefix.end(); s++) {
        System.arraycopy(keys[first], 0, keys[s], 0, prefix.tokens());
        System.arraycopy(values[first], 0, values[s], 0, prefix.tokens());
        System.arraycopy(blocks[first], 0, blocks[s], 0, prefix.tokens() / blockTokens);
      }
    }
  }

  private void append(DType rowType) {
    int[] before = new int[rows.length];
    for (int s = 0; s < rows.length; s++) {
      before[s] = contexts[s] - rows[s];
    }
    append(before, before, rowType);
    append(contexts, rows, rowType);
  }

  private void append(int[] ends, int[] counts, DType rowType) {
    double[][] keyRows = rows(keys, ends, counts);
    if (keyRows.length == 0) {
      return;
    }
    fixture
        .operations()
        .appendKv(
            fixture.stream(),
            fixture.matrix(rowType, keyRows),
            fixture.matrix(rowType, rows(values, ends, counts)),
            batch(ends, counts),
            cache);
  }

  private static double[][] rows(double[][][] all, int[] ends, int[] counts) {
    List<double[]> rows = new ArrayList<>();
    for (int s = 0; s < counts.length; s++) {
      for (int position = ends[s] - counts[s]; position < ends[s]; position++) {
        rows.add(all[s][position]);
      }
    }
    return rows.toArray(double[][]::new);
  }

  KvBlocks cache() {
    return cache;
  }

  int tokens() {
    return Arrays.stream(rows).sum();
  }

  /** The batch whose rows are queried. */
  RaggedBatch batch() {
    return withPrefixes(batchWithoutPrefixes(), prefixes);
  }

  /** The same without a word about who begins alike. */
  RaggedBatch batchWithoutPrefixes() {
    return batch(contexts, rows);
  }

  static RaggedBatch withPrefixes(RaggedBatch batch, List<SharedPrefix> prefixes) {
    return new RaggedBatch(
        batch.sequences(),
        batch.tokens(),
        batch.maxBlocks(),
        batch.longestContext(),
        batch.rowStarts(),
        batch.contextLengths(),
        batch.blockTable(),
        batch.slots(),
        prefixes);
  }

  private RaggedBatch batch(int[] ends, int[] counts) {
    int[] starts = new int[counts.length + 1];
    List<Integer> slots = new ArrayList<>();
    int longest = 0;
    int size = cache.format().blockTokens();
    for (int s = 0; s < counts.length; s++) {
      starts[s + 1] = starts[s] + counts[s];
      longest = Math.max(longest, ends[s]);
      for (int position = ends[s] - counts[s]; position < ends[s]; position++) {
        slots.add(blocks[s][position / size] * size + position % size);
      }
    }
    return new RaggedBatch(
        counts.length,
        starts[counts.length],
        maxBlocks,
        longest,
        fixture.indices(starts),
        fixture.indices(ends),
        fixture.indices(table()),
        fixture.indices(slots.stream().mapToInt(Integer::intValue).toArray()),
        List.of());
  }

  /** The batch once blocks that lie wholly before what any row sees have been given away. */
  RaggedBatch batchWithoutBlocksBefore(int window) {
    int size = cache.format().blockTokens();
    RaggedBatch full = batch();
    for (int s = 0; s < contexts.length; s++) {
      int firstSeen = Math.max(0, contexts[s] - rows[s] - window + 1);
      Arrays.fill(blocks[s], 0, firstSeen / size, -1);
    }
    return new RaggedBatch(
        full.sequences(),
        full.tokens(),
        full.maxBlocks(),
        full.longestContext(),
        full.rowStarts(),
        full.contextLengths(),
        fixture.indices(table()),
        full.slots(),
        full.prefixes());
  }

  /** Unused places hold numbers that are no blocks. */
  private int[] table() {
    int[] table = new int[blocks.length * maxBlocks];
    Arrays.fill(table, -1);
    for (int s = 0; s < blocks.length; s++) {
      System.arraycopy(blocks[s], 0, table, s * maxBlocks, blocks[s].length);
    }
    return table;
  }

  /** The results for all rows of the batch. */
  Expected attention(
      double[][] queries, int heads, double scale, int window, double softCap, double[] sinks) {
    KvBlocks.Format format = cache.format();
    int width = format.valueDim();
    double[][] results = new double[queries.length][heads * width];
    double[][] sizes = new double[queries.length][heads * width];
    int group = heads / format.heads();
    int firstRow = 0;
    for (int s = 0; s < contexts.length; s++) {
      for (int kvHead = 0; kvHead < format.heads(); kvHead++) {
        double[][] headKeys = head(keys[s], kvHead, format.headDim());
        double[][] headValues = head(values[s], kvHead, width);
        for (int i = 0; i < rows[s]; i++) {
          int row = firstRow + i;
          int end = contexts[s] - rows[s] + i + 1;
          int first = window == 0 ? 0 : Math.max(0, end - window);
          double[][] seenKeys = Arrays.copyOfRange(headKeys, first, end);
          double[][] seenValues = Arrays.copyOfRange(headValues, first, end);
          for (int h = kvHead * group; h < (kvHead + 1) * group; h++) {
            double[] size = new double[width];
            double[] result =
                ReferenceOperations.attend(
                    slice(queries[row], h, format.headDim()),
                    seenKeys,
                    seenValues,
                    scale,
                    softCap,
                    sinks.length == 0 ? Double.NEGATIVE_INFINITY : sinks[h],
                    size);
            System.arraycopy(result, 0, results[row], h * width, width);
            System.arraycopy(size, 0, sizes[row], h * width, width);
          }
        }
      }
      firstRow += rows[s];
    }
    return new Expected(results, sizes);
  }

  /** The part of rows that belongs to a head, as the cache holds it. */
  private double[][] head(double[][] rows, int head, int width) {
    double[][] part = new double[rows.length][];
    for (int t = 0; t < rows.length; t++) {
      part[t] = slice(rows[t], head, width);
      for (int i = 0; i < width; i++) {
        part[t][i] = Numbers.round(part[t][i], cache.format().dtype());
      }
    }
    return part;
  }

  private static double[] slice(double[] row, int head, int width) {
    return Arrays.copyOfRange(row, head * width, (head + 1) * width);
  }
}
