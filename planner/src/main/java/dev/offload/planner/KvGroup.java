package dev.offload.planner;

/**
 * The KV cache of one micro-batch: its sequences keep their blocks here in every layer.
 *
 * @param home where the cache lives and where attention reads it
 * @param blocks number of cache blocks per layer
 * @param sequences most sequences at a time
 */
public record KvGroup(Home home, int blocks, int sequences) {

  /** Where a cache lives and who attends to it. */
  public enum Home {
    /** In device memory. */
    DEVICE,
    /** In host memory, copied to the device for each layer. */
    HOST_STREAMED,
    /** In host memory; the CPU attends to it there. */
    HOST_ATTENDED
  }

  public KvGroup {
    if (blocks < 1 || sequences < 1) {
      throw new IllegalArgumentException(
          "a KV group has %d blocks and %d sequences, both must be at least 1"
              .formatted(blocks, sequences));
    }
  }
}
