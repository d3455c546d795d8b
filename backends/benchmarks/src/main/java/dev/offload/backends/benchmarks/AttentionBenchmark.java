package dev.offload.backends.benchmarks;

import dev.offload.backends.api.AttentionSpec;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.KvBlocks;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Operations;
import dev.offload.backends.api.RaggedBatch;
import dev.offload.tensors.DType;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/**
 * How fast rows attend to the cache, with the heads of examples/shapes/dense-360m. Each layer of a
 * sweep has a cache of its own. Counts the arithmetic of the two products, and each key and value
 * in the cache once.
 */
public class AttentionBenchmark extends DeviceBenchmark {
  private static final int HEADS = 15;
  private static final int KV_HEADS = 5;
  private static final int HEAD_DIM = 64;

  /** Sequences x rows of each @ context of each / tokens of it that all share. */
  @Param({
    "4x128@128",
    "1x512@512",
    "32x1@144",
    "32x1@1024",
    "1x1@8192",
    "32x1@1088",
    "32x1@1088/1024",
    "128x1@1088",
    "128x1@1088/1024"
  })
  public String work;

  /** Format of keys and values. */
  @Param("BF16")
  public DType cache;

  /** Caches of a sweep. */
  @Param("32")
  public int layers;

  private final AttentionSpec attention =
      new AttentionSpec(HEADS, (float) (1 / Math.sqrt(HEAD_DIM)), 0, 0, Optional.empty());

  private AttentionWork sizes;
  private RaggedBatch batch;
  private List<KvBlocks> caches;
  private Matrix queries;
  private Matrix out;

  /** Draws the queries and fills the caches, all with the same keys and values. */
  @Setup
  public void fill(OpenDevice device) {
    sizes = AttentionWork.parse(work);
    int blockTokens = device.operations().kvBlockTokens();
    batch = sizes.batch(device, blockTokens);
    caches = newCaches(device, sizes.blocks(blockTokens), blockTokens);
    append(device, sizes.filling(blockTokens), blockTokens);
    queries = device.randomMatrix("queries", DType.F32, sizes.tokens(), HEADS * HEAD_DIM);
    out = device.matrix("attended", DType.F32, sizes.tokens(), HEADS * HEAD_DIM);
  }

  private List<KvBlocks> newCaches(OpenDevice device, int blocks, int blockTokens) {
    KvBlocks.Format format = new KvBlocks.Format(cache, blockTokens, KV_HEADS, HEAD_DIM, HEAD_DIM);
    long layerBytes = blocks * device.operations().kvBlockBytes(format);
    DeviceBuffer buffer = device.allocate("KV caches", layers * layerBytes);
    return IntStream.range(0, layers)
        .mapToObj(layer -> new KvBlocks(buffer, layer * layerBytes, blocks, format))
        .toList();
  }

  private void append(OpenDevice device, AttentionWork whole, int blockTokens) {
    Operations operations = device.operations();
    RaggedBatch tokens = whole.batch(device, blockTokens);
    Matrix keys = device.randomMatrix("keys", DType.F32, whole.tokens(), KV_HEADS * HEAD_DIM);
    Matrix values = device.randomMatrix("values", DType.F32, whole.tokens(), KV_HEADS * HEAD_DIM);
    caches.forEach(layer -> operations.appendKv(device.stream(), keys, values, tokens, layer));
    device.stream().synchronize();
  }

  /** The queries over each of the caches. */
  @Benchmark
  public void attend(OpenDevice device, Arithmetic counter) {
    for (KvBlocks layer : caches) {
      device.operations().attention(device.stream(), queries, layer, batch, attention, out);
    }
    device.stream().synchronize();
    double tokenBytes = 2.0 * KV_HEADS * HEAD_DIM * cache.bytes();
    counter.add(
        layers * 4.0 * HEADS * HEAD_DIM * sizes.pairs(),
        layers * tokenBytes * sizes.cachedTokens());
  }
}
