package dev.offload.planner.peers;

import dev.offload.tensors.Tier;

/**
 * How FlexGen was told to run.
 *
 * @param microBatch sequences computed at a time
 * @param microBatches how many of these share a load of the weights
 * @param weightsDevicePercent asked-for share of the weights on the device; see {@link WeightHomes}
 * @param weightsHostPercent asked-for share in host memory; the rest is on disk
 * @param kv where the KV cache lives
 * @param hidden where hidden states wait between layers
 * @param cpuAttention whether attention of generated tokens runs on the CPU
 * @param weights4Bit whether weights are kept in groups of 64 at 4 bits
 * @param kv4Bit the same for the KV cache
 * @param pinnedWeights whether weights in host memory are pinned
 * @param overlap whether copies run beside computing; without it nothing is waited for either
 * @param projected whether only ten layers of the second token were measured and multiplied
 */
public record FlexGenPolicy(
    int microBatch,
    int microBatches,
    int weightsDevicePercent,
    int weightsHostPercent,
    Tier kv,
    Tier hidden,
    boolean cpuAttention,
    boolean weights4Bit,
    boolean kv4Bit,
    boolean pinnedWeights,
    boolean overlap,
    boolean projected) {
  private static final double WHOLE_BYTES = 2;

  /** 4 bits, and for each group of 64 a scale and a minimum of 16 bits. */
  private static final double QUANTISED_BYTES = (4 + 32.0 / 64) / 8;

  public FlexGenPolicy {
    if (microBatch < 1 || microBatches < 1) {
      throw new IllegalArgumentException(
          "micro-batches are %d of %d, must be at least 1".formatted(microBatches, microBatch));
    }
    if (weightsDevicePercent < 0
        || weightsHostPercent < 0
        || weightsDevicePercent + weightsHostPercent > 100) {
      throw new IllegalArgumentException(
          "weights are %d %% on the device and %d %% on the host, must be 0 to 100 together"
              .formatted(weightsDevicePercent, weightsHostPercent));
    }
  }

  /** Sequences in a block. */
  public int sequences() {
    return microBatch * microBatches;
  }

  /** Bytes per weight, wherever it lives. */
  double weightBytes() {
    return weights4Bit ? QUANTISED_BYTES : WHOLE_BYTES;
  }

  /** Bytes per element of the cache, wherever it lives. */
  double kvBytes() {
    return kv4Bit ? QUANTISED_BYTES : WHOLE_BYTES;
  }
}
