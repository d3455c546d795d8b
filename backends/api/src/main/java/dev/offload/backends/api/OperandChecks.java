package dev.offload.backends.api;

import dev.offload.backends.api.RaggedBatch.SharedPrefix;
import dev.offload.tensors.DType;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Refuses operands that do not fit together; every message names both sizes. */
public final class OperandChecks {
  private OperandChecks() {}

  public static void equal(String first, long a, String second, long b) {
    if (a != b) {
      throw new IllegalArgumentException("%s is %d, but %s is %d".formatted(first, a, second, b));
    }
  }

  public static void atLeast(String name, long value, String bound, long least) {
    if (value < least) {
      throw new IllegalArgumentException(
          "%s is %d, less than %s, %d".formatted(name, value, bound, least));
    }
  }

  /** Refuses a copy beyond the end of the memory that it comes from or goes to. */
  public static void copyFits(String which, long size, long offset, long bytes) {
    if (offset < 0 || bytes < 0 || bytes > size - offset) {
      throw new IllegalArgumentException(
          "copy of %d bytes at offset %d does not fit the %s of %d bytes"
              .formatted(bytes, offset, which, size));
    }
  }

  public static void divides(String divisor, long a, String whole, long b) {
    if (a < 1 || b % a != 0) {
      throw new IllegalArgumentException(
          "%s is %d, which does not divide %s, %d".formatted(divisor, a, whole, b));
    }
  }

  public static void f32(String name, Matrix matrix) {
    if (matrix.dtype() != DType.F32) {
      throw new IllegalArgumentException("%s is %s, must be F32".formatted(name, matrix.dtype()));
    }
  }

  public static void sameSize(String first, Matrix a, String second, Matrix b) {
    equal("rows of " + first, a.rows(), "rows of " + second, b.rows());
    equal("columns of " + first, a.columns(), "columns of " + second, b.columns());
  }

  public static void norm(NormSpec norm, int columns) {
    equal("length of the norm weight", norm.weight().length(), "width of the norm", columns);
    norm.bias()
        .ifPresent(
            bias -> equal("length of the norm bias", bias.length(), "width of the norm", columns));
  }

  public static void weight(Weight weight, long bytes) {
    atLeast(
        "room behind the weight's offset",
        weight.buffer().bytes() - weight.offset(),
        "its size in bytes",
        bytes);
  }

  public static void product(Matrix x, Weight weight, boolean accumulate, Matrix out) {
    equal("columns of x", x.columns(), "inputs of the weight", weight.inputs());
    equal("columns of out", out.columns(), "outputs of the weight", weight.outputs());
    equal("rows of x", x.rows(), "rows of out", out.rows());
    if (accumulate) {
      f32("an accumulated out", out);
    }
  }

  public static void groups(Matrix x, List<WeightRows> groups, List<Vector> biases, Matrix out) {
    Weight first = groups.getFirst().weight();
    for (WeightRows group : groups) {
      product(x, group.weight(), false, out);
      if (group.weight().dtype() != first.dtype() || group.weight().packed() != first.packed()) {
        throw new IllegalArgumentException(
            "weights of groups differ: %s packed %b and %s packed %b"
                .formatted(
                    first.dtype(),
                    first.packed(),
                    group.weight().dtype(),
                    group.weight().packed()));
      }
      if (group.firstRow() < 0
          || group.rows() < 0
          || (long) group.firstRow() + group.rows() > x.rows()) {
        throw new IllegalArgumentException(
            "group of %d rows from row %d on exceeds the %d rows of x"
                .formatted(group.rows(), group.firstRow(), x.rows()));
      }
    }
    disjoint(groups);
    if (!biases.isEmpty()) {
      equal("number of biases", biases.size(), "number of groups", groups.size());
      biases.forEach(bias -> bias(bias, first));
    }
  }

  private static void disjoint(List<WeightRows> groups) {
    List<WeightRows> ordered =
        groups.stream()
            .filter(group -> group.rows() > 0)
            .sorted(Comparator.comparingInt(WeightRows::firstRow))
            .toList();
    for (int i = 1; i < ordered.size(); i++) {
      WeightRows before = ordered.get(i - 1);
      atLeast(
          "first row of a group",
          ordered.get(i).firstRow(),
          "the end of the group before it",
          (long) before.firstRow() + before.rows());
    }
  }

  public static void bias(Vector bias, Weight weight) {
    equal("length of the bias", bias.length(), "outputs of the weight", weight.outputs());
  }

  public static void heads(int heads, Matrix x) {
    divides("number of heads", heads, "columns of x", x.columns());
  }

  public static void rope(Matrix x, int heads, int dimensions, Matrix cosSin) {
    heads(heads, x);
    divides("2, as pairs are rotated,", 2, "rotated dimensions", dimensions);
    atLeast("width of a head", x.columns() / heads, "rotated dimensions", dimensions);
    f32("cosSin", cosSin);
    equal("columns of cosSin", cosSin.columns(), "rotated dimensions", dimensions);
    equal("rows of cosSin", cosSin.rows(), "rows of x", x.rows());
  }

  public static void cache(KvBlocks cache, DataLayout layout) {
    long blockBytes = layout.kvBlockBytes(cache.format());
    divides("64", 64, "byte offset of the cache", cache.offset());
    atLeast(
        "room behind the cache's offset",
        cache.buffer().bytes() - cache.offset(),
        "the size of its blocks in bytes",
        Math.multiplyExact(blockBytes, (long) cache.blocks()));
  }

  public static void keysAndValues(
      Matrix keys, Matrix values, RaggedBatch batch, KvBlocks cache, DataLayout layout) {
    cache(cache, layout);
    KvBlocks.Format format = cache.format();
    equal("rows of keys", keys.rows(), "tokens of the batch", batch.tokens());
    equal("rows of values", values.rows(), "tokens of the batch", batch.tokens());
    atLeast("number of slots", batch.slots().length(), "tokens of the batch", batch.tokens());
    equal(
        "columns of keys",
        keys.columns(),
        "heads times key width of the cache",
        (long) format.heads() * format.headDim());
    equal(
        "columns of values",
        values.columns(),
        "heads times value width of the cache",
        (long) format.heads() * format.valueDim());
  }

  /** The keys of {@link Operations#rotateAndAppend}. */
  public static Matrix keysBehindQueries(Matrix x, KvBlocks cache) {
    KvBlocks.Format format = cache.format();
    int columns = Math.multiplyExact(format.heads(), format.headDim());
    divides("key width of the cache", format.headDim(), "columns of queries and keys", x.columns());
    atLeast(
        "columns of queries and keys", x.columns(), "heads times key width of the cache", columns);
    return x.columns(x.columns() - columns, columns);
  }

  public static void attention(
      Matrix queries,
      KvBlocks cache,
      RaggedBatch batch,
      AttentionSpec attention,
      Matrix out,
      DataLayout layout) {
    cache(cache, layout);
    KvBlocks.Format format = cache.format();
    divides("number of KV heads", format.heads(), "number of query heads", attention.heads());
    atLeast("number of query heads", attention.heads(), "the least possible", 1);
    atLeast("window", attention.window(), "the least possible", 0);
    equal("rows of queries", queries.rows(), "tokens of the batch", batch.tokens());
    equal("rows of out", out.rows(), "tokens of the batch", batch.tokens());
    equal(
        "columns of queries",
        queries.columns(),
        "heads times key width",
        (long) attention.heads() * format.headDim());
    equal(
        "columns of out",
        out.columns(),
        "heads times value width",
        (long) attention.heads() * format.valueDim());
    attention
        .sinks()
        .ifPresent(
            sinks ->
                equal("number of sinks", sinks.length(), "number of heads", attention.heads()));
    table(batch);
    prefixes(batch, format.blockTokens());
  }

  private static void table(RaggedBatch batch) {
    int sequences = batch.sequences();
    atLeast("number of row starts", batch.rowStarts().length(), "sequences + 1", sequences + 1L);
    atLeast("number of context lengths", batch.contextLengths().length(), "sequences", sequences);
    atLeast(
        "length of the block table",
        batch.blockTable().length(),
        "sequences times blocks",
        (long) sequences * batch.maxBlocks());
  }

  private static void prefixes(RaggedBatch batch, int blockTokens) {
    int end = 0;
    for (SharedPrefix prefix : batch.prefixes()) {
      atLeast(
          "first sequence of a shared prefix",
          prefix.firstSequence(),
          "the end of the one before it",
          end);
      atLeast(
          "number of sequences of a shared prefix", prefix.sequences(), "the least possible", 1);
      atLeast(
          "number of sequences",
          batch.sequences(),
          "the end of a shared prefix",
          (long) prefix.firstSequence() + prefix.sequences());
      divides("number of tokens per block", blockTokens, "shared tokens", prefix.tokens());
      atLeast("number of shared tokens", prefix.tokens(), "the least possible", 0);
      atLeast(
          "tokens of all blocks of a sequence",
          (long) batch.maxBlocks() * blockTokens,
          "the shared tokens",
          prefix.tokens());
      end = prefix.end();
    }
  }

  public static void route(Matrix logits, RouterSpec router, Indices experts, Matrix weights) {
    int perToken = router.expertsPerToken();
    equal("columns of weights", weights.columns(), "experts per token", perToken);
    equal("rows of weights", weights.rows(), "rows of logits", logits.rows());
    f32("weights", weights);
    equal(
        "number of chosen experts",
        experts.length(),
        "tokens times experts per token",
        (long) logits.rows() * perToken);
    divides("number of groups", router.groups(), "number of experts", logits.columns());
    atLeast("number of groups", router.groups(), "the groups kept", router.groupsKept());
    atLeast("groups kept", router.groupsKept(), "the least possible", 1);
    atLeast(
        "number of experts in the groups kept",
        (long) logits.columns() / router.groups() * router.groupsKept(),
        "experts per token",
        perToken);
    router
        .correction()
        .ifPresent(
            bias ->
                equal(
                    "length of the correction",
                    bias.length(),
                    "number of experts",
                    logits.columns()));
  }

  public static void combine(Matrix y, Indices rows, Matrix weights, Matrix out) {
    f32("weights", weights);
    f32("out", out);
    equal("columns of y", y.columns(), "columns of out", out.columns());
    equal("rows of weights", weights.rows(), "rows of out", out.rows());
    equal(
        "number of rows to combine",
        rows.length(),
        "tokens times experts per token",
        (long) weights.rows() * weights.columns());
  }

  public static void largest(Matrix x, Matrix largest, Indices columns, Optional<Matrix> sums) {
    f32("x", x);
    f32("the largest", largest);
    equal("rows of the largest", largest.rows(), "rows of x", x.rows());
    atLeast("columns of x", x.columns(), "how many of them are looked for", largest.columns());
    equal(
        "number of column numbers",
        columns.length(),
        "rows times how many are looked for",
        (long) largest.rows() * largest.columns());
    sums.ifPresent(
        matrix -> {
          f32("sums", matrix);
          equal("rows of sums", matrix.rows(), "rows of x", x.rows());
          equal("columns of sums", matrix.columns(), "what they must be", 1);
        });
  }
}
