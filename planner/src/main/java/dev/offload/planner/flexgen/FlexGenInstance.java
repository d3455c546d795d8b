package dev.offload.planner.flexgen;

/**
 * What FlexGen's program is asked: a model of the OPT family, a machine, and a batch. Bytes, bytes
 * per second and operations per second; the names are those of its published source.
 *
 * @param config model, lengths and machine
 * @param alpha share of the memory of GPU, CPU and disk that may be used
 * @param gpuBatchSize sequences computed at a time
 * @param gpuBatches how many of these make the block that shares a load of the weights
 * @param compressWeight whether weights are kept in 4 bits, at a quarter of their size
 */
public record FlexGenInstance(
    Config config, Alpha alpha, int gpuBatchSize, int gpuBatches, boolean compressWeight) {
  public FlexGenInstance {
    atLeastOne("gpu_batch_size", gpuBatchSize);
    atLeastOne("num_gpu_batches", gpuBatches);
  }

  private static void atLeastOne(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(name + " is " + value + ", must be at least 1");
    }
  }

  /** Sequences in a block. */
  long block() {
    return (long) gpuBatchSize * gpuBatches;
  }

  /** Usable shares of memory. */
  public record Alpha(double gpu, double cpu, double disk) {}

  /**
   * Model, lengths and machine.
   *
   * @param s prompt tokens
   * @param n generated tokens
   * @param l layers
   * @param h1 hidden size
   * @param h2 size of the feed-forward layer
   * @param nh heads
   * @param gmem GPU memory
   * @param cmem CPU memory
   * @param nmem disk
   * @param ctogBdw CPU to GPU
   * @param gtocBdwCache GPU to CPU, for the cache
   * @param gtocBdwHidden GPU to CPU, for hidden states
   * @param dtocBdw disk to CPU
   * @param ctodBdwCacheP CPU to disk, for the cache in prefill
   * @param ctodBdwHiddenP CPU to disk, for hidden states in prefill
   * @param ctodBdwG CPU to disk, in generation
   * @param mmFlopsP matrix products in prefill
   * @param mmFlopsG matrix products in generation
   * @param bmmFlopsP attention in prefill
   * @param bmmFlopsG attention in generation
   * @param cpuFlops attention on the CPU
   * @param c1 fitted constant of the CPU's rate
   * @param c2 as above
   * @param c3 as above
   */
  public record Config(
      double s,
      double n,
      double l,
      double h1,
      double h2,
      double nh,
      double gmem,
      double cmem,
      double nmem,
      double ctogBdw,
      double gtocBdwCache,
      double gtocBdwHidden,
      double dtocBdw,
      double ctodBdwCacheP,
      double ctodBdwHiddenP,
      double ctodBdwG,
      double mmFlopsP,
      double mmFlopsG,
      double bmmFlopsP,
      double bmmFlopsG,
      double cpuFlops,
      double c1,
      double c2,
      double c3) {}
}
