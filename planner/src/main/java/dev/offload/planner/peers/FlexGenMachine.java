package dev.offload.planner.peers;

/**
 * What FlexGen's program gets out of a machine. Bytes, elements and operations per second.
 *
 * @param hostToDevice pinned memory to the device
 * @param deviceToHost hidden states to pinned memory
 * @param cacheToHost KV cache to pageable memory, by copy threads
 * @param matrixFlops matrix products, if they are not bound by reading the matrix
 * @param deviceMemory reading matrices in the device's memory
 * @param promptAttentionFlops attention of prompts
 * @param deviceAttention bytes of a cache in 16 bits that attention of one token per sequence gets
 *     through on the device, with the copies that FlexGen makes of it
 * @param cpuAttention the same on the CPU, for micro-batches of 64 or more
 * @param cpuAttentionLoss what of that is lost with each halving of the micro-batch below 64
 * @param diskWrite KV cache to disk
 * @param diskRead weights and cache from disk, by copy threads
 * @param pageableCopy pageable memory to pinned memory, by the thread that launches everything
 * @param quantisedElements elements that are quantised, or back, on the device
 */
public record FlexGenMachine(
    double hostToDevice,
    double deviceToHost,
    double cacheToHost,
    double matrixFlops,
    double deviceMemory,
    double promptAttentionFlops,
    double deviceAttention,
    double cpuAttention,
    double cpuAttentionLoss,
    double diskWrite,
    double diskRead,
    double pageableCopy,
    double quantisedElements) {
  private static final double GIB = 1 << 30;

  /**
   * The T4 and its host in Google's cloud on which FlexGen was measured.
   *
   * <p>Ten of the constants are others': the rate of the device's memory is that of the hardware
   * preset {@code t4} (a copy kernel); all else is from FlexGen's cost model, where the rates have
   * the names given here. Its authors fitted them to runs of single policies on this machine.
   *
   * <p>Three are fitted here, to the six published throughputs with prompts of 512 tokens, because
   * nobody states them: {@code diskRead} (the paper says about 2 GB/s; the cost model's constant of
   * 0.5 is why that model is off by a factor of 4.5), {@code pageableCopy} and {@code
   * quantisedElements}. The other six throughputs were not used.
   */
  public static final FlexGenMachine T4 =
      new FlexGenMachine(
          12.89 * GIB, // ctog_bdw
          4.82 * GIB, // gtoc_bdw_hidden
          0.97 * GIB, // gtoc_bdw_cache
          21.24e12, // mm_flops_p
          239.6e9, // preset
          9.97e12, // bmm_flops_p
          0.079e12, // bmm_flops_g: operations there, as many as bytes of the cache
          0.0123e12, // cpu_flops: as above
          0.0328, // c2; c1 and c3 are about models narrower than these
          0.746 * GIB, // ctod_bdw_cache_p
          2.7e9, // fitted
          11e9, // fitted
          12e9); // fitted

  /** Bytes per second of a cache in 16 bits that attention on the CPU gets through. */
  double cpuAttention(int microBatch) {
    double halvings = Math.max(0, Math.log(64.0 / microBatch) / Math.log(2));
    return cpuAttention * Math.max(0.1, 1 - cpuAttentionLoss * halvings);
  }
}
