package dev.offload.planner.cost;

import dev.offload.tensors.model.ModelConfig.Attention;

/**
 * What attention of one layer costs per token seen.
 *
 * @param kvBytes cache of one token in this layer
 * @param pairFlops arithmetic of one row and one token that it sees, all heads
 * @param window how far back a row sees; 0 means all
 */
public record AttentionShape(double kvBytes, double pairFlops, int window) {

  /** Of a layer with so many bytes of cache per token. */
  public static AttentionShape of(Attention attention, double kvBytes) {
    return new AttentionShape(
        kvBytes,
        2.0 * attention.heads() * (attention.headDim() + attention.valueDim()),
        attention.window());
  }

  /** Bytes of cache that rows read. */
  public double bytesRead(AttentionLoad load) {
    return load.decodePairs(window) * kvBytes;
  }
}
